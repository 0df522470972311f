import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import type { PageRequest } from '../../common/paging';
import type { TenantRole } from '../../common/permissions';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import type { ExpectedVersions } from '../../platform/http/etag';
import type { UserEntity, UserStatus } from './user.entity';

/** Which users are meant; what is absent narrows nothing. */
export interface UserFilter {
  role?: TenantRole;
  status?: UserStatus;
  q?: string;
}

/** Another name for a user of one of the versions expected. */
export interface Renaming {
  name: string;
  expected: ExpectedVersions;
}

/** What of a user can be changed by others. */
export type UserFields = Pick<UserEntity, 'name' | 'role' | 'status'>;

const COLUMNS = `tenant_id as "tenantId", id, email, name, role, status, version, created_at as "createdAt", updated_at as "updatedAt"`;

const FILTERED = `tenant_id = $1 and ($2::text is null or role = $2) and ($3::text is null or status = $3)
  and ($4::text is null or name ilike $4 or email ilike $4)`;

const RENAME = audited(
  `update users set name = $3::text, version = version + 1, updated_at = now()
    where tenant_id = $1::uuid and id = $2::uuid and ($4::text[] is null or '"' || version || '"' = any ($4::text[]))
    returning ${COLUMNS}`,
  4,
);

/** The queries of those who look after the tenant's users. */
@Injectable()
export class TeamRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Newest first, one more than asked for. */
  list(tenantId: string, filter: UserFilter, { limit, cursor, offset }: PageRequest): Promise<UserEntity[]> {
    const text = `select ${COLUMNS} from users where ${FILTERED} and ($5::uuid is null or id < $5)
      order by id desc limit $6 offset $7`;
    const params = [...paramsOf(tenantId, filter), cursor ?? null, limit + 1, offset ?? 0];
    return this.db.queryOnce<UserEntity>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: UserFilter, cap: number): Promise<number> {
    const text = `select count(*)::int as count from (select from users where ${FILTERED} limit $5) u`;
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, [...paramsOf(tenantId, filter), cap]);
    return row?.count ?? 0;
  }

  /**
   * Holds the tenant's active administrators for this transaction and tells who they are: of two who would remove each other
   * the second waits, and then no longer finds the first one's. Always before any other user is held.
   */
  async lockAdmins(tx: TenantTransaction, tenantId: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select id from users where tenant_id = $1 and role = 'TENANT_ADMIN' and status = 'active' order by id
        for no key update`,
      [tenantId],
    );
    return rows.map(({ id }) => id);
  }

  /** The user, held for this transaction; null when there is none. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<UserEntity | null> {
    const text = `select ${COLUMNS} from users where tenant_id = $1 and id = $2 for no key update`;
    const [row] = await tx.query<UserEntity>(text, [tenantId, id]);
    return row ?? null;
  }

  /** Holds the number of the tenant's users for this transaction and tells it. */
  async lockCount(tx: TenantTransaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('users of ' || $1::text, 0))`, [tenantId]);
    const text = `select count(*)::int as count from users where tenant_id = $1`;
    const [row] = await tx.query<{ count: number }>(text, [tenantId]);
    return row?.count ?? 0;
  }

  /** Writes all that can be changed of a user who is held. */
  async update(tx: TenantTransaction, user: UserEntity, fields: UserFields): Promise<UserEntity> {
    const [row] = await tx.query<UserEntity>(
      `update users set name = $3, role = $4, status = $5, version = version + 1, updated_at = now()
        where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
      [user.tenantId, user.id, fields.name, fields.role, fields.status],
    );
    if (!row) throw new Error('A user who was held is gone');
    return row;
  }

  /** Removes a user who is held; its logins go with it. */
  async remove(tx: TenantTransaction, { tenantId, id }: UserEntity): Promise<void> {
    await tx.query(`delete from users where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /** Gives the user another name, and records it. Null when there is no such user of a version expected. */
  async rename({ tenantId, id }: Actor, { name, expected }: Renaming, record: AuditRow): Promise<UserEntity | null> {
    const [row] = await this.db.query<UserEntity>(tenantId, RENAME, [tenantId, id, name, expected, ...record]);
    return row ?? null;
  }
}

const paramsOf = (tenantId: string, { role, status, q }: UserFilter): unknown[] => [
  tenantId,
  role ?? null,
  status ?? null,
  q === undefined ? null : `%${q.replace(/[\\%_]/g, '\\$&')}%`,
];
