import { Injectable } from '@nestjs/common';
import type { TenantRole } from '../../common/permissions';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** How long a login lives since it was last refreshed. */
const LOGIN_TTL = `interval '7 days'`;
/** Within this time a token whose successor is still unused gets the same successor again: two tabs are not theft. */
const GRACE = `interval '10 seconds'`;

/** Why a login was ended before its time. */
export type RevokeReason = 'logout' | 'refresh_reuse';

/** Which login, of whom. */
export interface LoginRef {
  tenantId: string;
  loginId: string;
}

/** Where somebody logs in or refreshes from; null where it is not known. */
export interface LoginOrigin {
  ip: string | null;
  userAgent: string | null;
}

/** A login that begins. */
export interface NewLogin extends LoginRef, LoginOrigin {
  userId: string;
  /** 32 random bytes: the secret part of its refresh tokens. */
  seed: Buffer;
}

/** A login as refreshing needs it. */
export interface RefreshableLogin {
  userId: string;
  role: TenantRole;
  seed: Buffer;
  generation: number;
  /** Neither revoked nor expired, and its user and tenant are active. */
  live: boolean;
  /** The last refresh was so short a time ago that its token may still get the same successor. */
  inGrace: boolean;
}

/** The user behind a login that still lives. */
export interface LiveUser {
  userId: string;
  role: TenantRole;
}

const INSERT = `
  insert into logins (tenant_id, id, user_id, seed, ip, user_agent, expires_at)
  values ($1, $2, $3, $4, $5, $6, now() + ${LOGIN_TTL})`;

const LIVES = `l.revoked_at is null and l.expires_at > now() and u.status = 'active' and t.status = 'active'`;
const WITH_OWNER = `logins l join users u on u.tenant_id = l.tenant_id and u.id = l.user_id join tenants t on t.id = l.tenant_id`;

const FIND_LIVE = `
  select u.id as "userId", u.role from ${WITH_OWNER} where l.tenant_id = $1 and l.id = $2 and ${LIVES}`;

const FIND_REFRESHABLE = `
  select u.id as "userId", u.role, l.seed, l.generation, ${LIVES} as live, l.rotated_at > now() - ${GRACE} as "inGrace"
  from ${WITH_OWNER} where l.tenant_id = $1 and l.id = $2`;

const ADVANCE = `
  update logins set generation = generation + 1, rotated_at = now(), last_used_at = now(),
    expires_at = now() + ${LOGIN_TTL}, ip = coalesce($4, ip), user_agent = coalesce($5, user_agent)
  where tenant_id = $1 and id = $2 and generation = $3 and revoked_at is null and expires_at > now()
  returning id`;

const REVOKE = `
  update logins set revoked_at = now(), revoke_reason = $3 where tenant_id = $1 and id = $2 and revoked_at is null`;

const REVOKE_ALL = `
  update logins set revoked_at = now(), revoke_reason = $3
  where tenant_id = $1 and user_id = $2 and revoked_at is null returning id`;

/** The queries on `logins`. A login is a family of refresh tokens; no token is stored. */
@Injectable()
export class LoginsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Begins a login, within the transaction where there is one. */
  async insert(login: NewLogin, tx?: TenantTransaction): Promise<void> {
    const { tenantId, loginId, userId, seed, ip, userAgent } = login;
    const params = [tenantId, loginId, userId, seed, ip, userAgent];
    await (tx ? tx.query(INSERT, params) : this.db.query(tenantId, INSERT, params));
  }

  /** Null when the login is unknown, revoked or expired, or its user or tenant is not active. */
  async findLive({ tenantId, loginId }: LoginRef): Promise<LiveUser | null> {
    const [row] = await this.db.query<LiveUser>(tenantId, FIND_LIVE, [tenantId, loginId]);
    return row ?? null;
  }

  /** Null when there is no such login. */
  async findRefreshable({ tenantId, loginId }: LoginRef): Promise<RefreshableLogin | null> {
    const [row] = await this.db.query<RefreshableLogin>(tenantId, FIND_REFRESHABLE, [tenantId, loginId]);
    return row ?? null;
  }

  /** Moves the login to its next generation; false when it is no longer of this one, or has ended. */
  async advance({ tenantId, loginId }: LoginRef, generation: number, origin: LoginOrigin): Promise<boolean> {
    const params = [tenantId, loginId, generation, origin.ip, origin.userAgent];
    return (await this.db.query(tenantId, ADVANCE, params)).length === 1;
  }

  /** Ends the login; one that has ended keeps its first reason. */
  async revoke({ tenantId, loginId }: LoginRef, reason: RevokeReason): Promise<void> {
    await this.db.query(tenantId, REVOKE, [tenantId, loginId, reason]);
  }

  /** Ends every login of the user and tells which those were. */
  async revokeAll(tenantId: string, userId: string, reason: RevokeReason): Promise<string[]> {
    const rows = await this.db.query<{ id: string }>(tenantId, REVOKE_ALL, [tenantId, userId, reason]);
    return rows.map((row) => row.id);
  }
}
