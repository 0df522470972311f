import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import type { Permission, TenantRole } from '../../common/permissions';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** What people say of a key. */
export interface KeySettings {
  name: string;
  /** Null for a key with scopes. */
  role: TenantRole | null;
  /** Null for a key with a role. */
  scopes: Permission[] | null;
  expires_at: Date | null;
  requests_per_minute: number | null;
  /** Empty where any address will do. */
  allowed_cidrs: string[];
}

/** A key that is not revoked. The hashes of its secrets stay where they are. */
export interface ApiKeyRow extends KeySettings {
  id: string;
  prefix: string;
  /** How long the secret of before its last rotation still works; null when there is none. */
  previous_until: Date | null;
  last_used_at: Date | null;
  created_by: string;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export interface NewApiKey extends KeySettings {
  id: string;
  prefix: string;
  hash: Buffer;
  createdBy: string;
}

const COLUMNS = `id, name, prefix, role, scopes, expires_at, requests_per_minute, allowed_cidrs,
  case when previous_until > now() then previous_until end as previous_until, last_used_at, created_by, version,
  created_at, updated_at`;

const INSERT = audited(
  `insert into api_keys (tenant_id, id, prefix, key_hash, created_by, name, role, scopes, expires_at, requests_per_minute,
      allowed_cidrs)
    values ($1::uuid, $2::uuid, $3::text, $4::bytea, $5::uuid, $6::text, $7::text, $8::text[], $9::timestamptz, $10::int,
      $11::text[])
    returning ${COLUMNS}`,
  11,
);

const REVOKE = `
  update api_keys set revoked_at = now(), updated_at = now(), version = version + 1 where tenant_id = $1 and id = $2`;

const UPDATE = `
  update api_keys set name = $3, role = $4, scopes = $5, expires_at = $6, requests_per_minute = $7, allowed_cidrs = $8,
    version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning ${COLUMNS}`;

const ROTATE = `
  update api_keys set previous_hash = case when $4::int > 0 then key_hash end,
    previous_until = case when $4::int > 0 then now() + make_interval(secs => $4::int) end,
    key_hash = $3, version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning ${COLUMNS}`;

const settingsOf = (key: KeySettings): unknown[] => [
  key.name,
  key.role,
  key.scopes,
  key.expires_at,
  key.requests_per_minute,
  key.allowed_cidrs,
];

/** The queries on `api_keys`. A revoked key is only there for the audit trail's sake: nothing here finds it. */
@Injectable()
export class ApiKeysRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Stores the key and the record of it. */
  async insert(tenantId: string, key: NewApiKey, record: AuditRow): Promise<ApiKeyRow> {
    const values = [tenantId, key.id, key.prefix, key.hash, key.createdBy, ...settingsOf(key)];
    const [row] = await this.db.query<ApiKeyRow>(tenantId, INSERT, [...values, ...record]);
    if (!row) throw new Error('An inserted key was not returned');
    return row;
  }

  /** Null when there is none, or it is revoked. */
  async findById(tenantId: string, id: string): Promise<ApiKeyRow | null> {
    const text = `select ${COLUMNS} from api_keys where tenant_id = $1 and id = $2 and revoked_at is null`;
    const [row] = await this.db.query<ApiKeyRow>(tenantId, text, [tenantId, id]);
    return row ?? null;
  }

  /** The same, held for this transaction. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<ApiKeyRow | null> {
    const text = `select ${COLUMNS} from api_keys where tenant_id = $1 and id = $2 and revoked_at is null for update`;
    const [row] = await tx.query<ApiKeyRow>(text, [tenantId, id]);
    return row ?? null;
  }

  /** Newest first, one more than asked for. */
  list(tenantId: string, { limit, cursor, offset }: PageRequest): Promise<ApiKeyRow[]> {
    const text = `select ${COLUMNS} from api_keys
      where tenant_id = $1 and revoked_at is null and ($2::uuid is null or id < $2) order by id desc limit $3 offset $4`;
    return this.db.query<ApiKeyRow>(tenantId, text, [tenantId, cursor ?? null, limit + 1, offset ?? 0]);
  }

  async count(tenantId: string, cap: number): Promise<number> {
    const text = `select count(*)::int as count from
      (select from api_keys where tenant_id = $1 and revoked_at is null limit $2) k`;
    const [row] = await this.db.query<{ count: number }>(tenantId, text, [tenantId, cap]);
    return row?.count ?? 0;
  }

  /** Writes all that people say of a key that is locked. */
  async update(tx: TenantTransaction, tenantId: string, key: ApiKeyRow): Promise<ApiKeyRow> {
    return only(await tx.query<ApiKeyRow>(UPDATE, [tenantId, key.id, ...settingsOf(key)]));
  }

  /** Gives a key that is locked another secret; the one of before works on for so many seconds. */
  async rotate(tx: TenantTransaction, tenantId: string, id: string, next: NextSecret): Promise<ApiKeyRow> {
    return only(await tx.query<ApiKeyRow>(ROTATE, [tenantId, id, next.hash, next.graceS]));
  }

  /** Ends a key that is locked. */
  async revoke(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(REVOKE, [tenantId, id]);
  }
}

/** What a rotation brings. */
export interface NextSecret {
  hash: Buffer;
  graceS: number;
}

function only(rows: ApiKeyRow[]): ApiKeyRow {
  const [row] = rows;
  if (!row) throw new Error('A locked key was not found');
  return row;
}
