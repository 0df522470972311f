import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import type { TenantRole } from '../../common/permissions';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** How long a login lives since it was last refreshed. */
const LOGIN_TTL = `interval '7 days'`;
/** Within this time a token whose successor is still unused gets the same successor again: two tabs are not theft. */
const GRACE = `interval '10 seconds'`;

/** Why a login was ended before its time. */
export type RevokeReason = 'logout' | 'refresh_reuse' | 'revoked' | 'password_changed' | 'user_ended';

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
  /** What the password was compared with; it must still be the user's. Null where no password was asked for. */
  passwordHash: string | null;
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

/** A login as its owner sees it. */
export interface LoginRow {
  id: string;
  ip: string | null;
  user_agent: string | null;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
}

/** The user behind a login that still lives. */
export interface LiveUser {
  userId: string;
  role: TenantRole;
}

// The user's row is held (for share): a password change or a deactivation that is on its way is waited for, and then the
// login does not begin; one that comes after it finds the login and ends it.
const INSERT = audited(
  `insert into logins (tenant_id, id, user_id, seed, ip, user_agent, expires_at)
    select $1::uuid, $2::uuid, u.id, $4::bytea, $5::text, $6::text, now() + ${LOGIN_TTL} from users u
    where u.tenant_id = $1 and u.id = $3 and u.status = 'active' and ($7::text is null or u.password_hash = $7)
    for share of u returning id`,
  7,
);

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

const REVOKE = audited(
  `update logins set revoked_at = now(), revoke_reason = $3 where tenant_id = $1 and id = $2 and revoked_at is null
    returning id`,
  3,
);

const REVOKE_OWN = audited(
  `update logins set revoked_at = now(), revoke_reason = 'revoked'
    where tenant_id = $1 and id = $2 and user_id = $3 and revoked_at is null and expires_at > now() returning id`,
  3,
);

const REVOKE_ALL = `
  update logins set revoked_at = now(), revoke_reason = $3
  where tenant_id = $1 and user_id = $2 and revoked_at is null and id is distinct from $4::uuid returning id`;

const REVOKE_ALL_AUDITED = audited(REVOKE_ALL, 4);

const LIST = `
  select id, ip, user_agent, created_at, last_used_at, expires_at from logins
  where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > now() and ($3::uuid is null or id < $3)
  order by id desc limit $4 offset $5`;

const COUNT = `
  select count(*)::int as count from (select from logins
    where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > now() limit $3) l`;

const HOLD = `
  select id from logins where tenant_id = $1 and id = $2 and revoked_at is null and expires_at > now() for update`;

/** The queries on `logins`. A login is a family of refresh tokens; no token is stored. */
@Injectable()
export class LoginsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /**
   * Begins a login with its record, within the transaction where there is one. False when the user is not active any more or
   * has another password by now.
   */
  async insert(login: NewLogin, record: AuditRow, tx?: TenantTransaction): Promise<boolean> {
    const { tenantId, loginId, userId, seed, ip, userAgent, passwordHash } = login;
    const params = [tenantId, loginId, userId, seed, ip, userAgent, passwordHash, ...record];
    const rows = await (tx ? tx.query(INSERT, params) : this.db.query(tenantId, INSERT, params));
    return rows.length === 1;
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

  /** Ends the login with its record; one that has ended keeps its first reason, and nothing is recorded. */
  async revoke({ tenantId, loginId }: LoginRef, reason: RevokeReason, record: AuditRow): Promise<void> {
    await this.db.query(tenantId, REVOKE, [tenantId, loginId, reason, ...record]);
  }

  /** Ends a live login of this user with its record; false when the user has no such login. */
  async revokeOwn({ tenantId, loginId }: LoginRef, userId: string, record: AuditRow): Promise<boolean> {
    return (await this.db.query(tenantId, REVOKE_OWN, [tenantId, loginId, userId, ...record])).length === 1;
  }

  /** Ends every login of the user, with one record, and tells which those were. */
  async revokeAll(tenantId: string, userId: string, reason: RevokeReason, record: AuditRow): Promise<string[]> {
    const params = [tenantId, userId, reason, null, ...record];
    return idsOf(await this.db.query<{ id: string }>(tenantId, REVOKE_ALL_AUDITED, params));
  }

  /** The same within a transaction that has its own record, but for the login `keep` (null: all). */
  async revokeAllWithin(
    tx: TenantTransaction,
    user: { tenantId: string; userId: string; keep: string | null },
    reason: RevokeReason,
  ): Promise<string[]> {
    return idsOf(await tx.query<{ id: string }>(REVOKE_ALL, [user.tenantId, user.userId, reason, user.keep]));
  }

  /** Whether the login still lives; it stays so until the end of the transaction. */
  async hold(tx: TenantTransaction, { tenantId, loginId }: LoginRef): Promise<boolean> {
    return (await tx.query(HOLD, [tenantId, loginId])).length === 1;
  }

  /** The live logins of the user, newest first, one more than asked for. */
  listOf(tenantId: string, userId: string, { limit, cursor, offset }: PageRequest): Promise<LoginRow[]> {
    return this.db.query<LoginRow>(tenantId, LIST, [tenantId, userId, cursor ?? null, limit + 1, offset ?? 0]);
  }

  /** How many live logins the user has; counting stops at the cap. */
  async countOf(tenantId: string, userId: string, cap: number): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(tenantId, COUNT, [tenantId, userId, cap]);
    return row?.count ?? 0;
  }
}

const idsOf = (rows: { id: string }[]): string[] => rows.map((row) => row.id);
