import { ApiProperty } from '@nestjs/swagger';
import { type Permission, SCOPES, TENANT_ROLES, type TenantRole } from '../../../common/permissions';
import type { ApiKeyRow } from '../api-keys.repository';

/** An API key as its tenant's administrators see it; never the key itself. */
export class ApiKeyResponse {
  /** The `client_id` of `POST /auth/token`. */
  id: string;
  name: string;

  /** How the key begins. @example sbk_k7m2qx9d */
  prefix: string;

  @ApiProperty({ enum: TENANT_ROLES, nullable: true })
  role: TenantRole | null;

  @ApiProperty({ enum: SCOPES, isArray: true, nullable: true })
  scopes: Permission[] | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expires_at: string | null;

  /** Of this key alone; the plan's bound holds beside it. */
  @ApiProperty({ type: Number, nullable: true })
  requests_per_minute: number | null;

  /** Addresses or CIDRs that it may be used from; any where the list is empty. */
  allowed_cidrs: string[];

  /** How long the secret of before the last rotation still works; null when it does not. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  previous_key_until: string | null;

  /** Up to half a minute late; null for a key that was never used. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_used_at: string | null;

  /** The user or key that made it. */
  created_by: string;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updated_at: string;
}

/** A key with its secret: the only answers that ever show it are those of making and rotating. */
export class FreshApiKeyResponse extends ApiKeyResponse {
  /** Goes into `X-API-Key`; the `client_secret` of `POST /auth/token`. It is not shown again. */
  key: string;
}

/** Lists the fields that may leave the service. */
export const apiKeyResponse = (row: ApiKeyRow): ApiKeyResponse => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  role: row.role,
  scopes: row.scopes,
  expires_at: timeOf(row.expires_at),
  requests_per_minute: row.requests_per_minute,
  allowed_cidrs: row.allowed_cidrs,
  previous_key_until: timeOf(row.previous_until),
  last_used_at: timeOf(row.last_used_at),
  created_by: row.created_by,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});

/** The same with the secret. */
export const freshApiKeyResponse = ({ row, key }: { row: ApiKeyRow; key: string }): FreshApiKeyResponse => ({
  ...apiKeyResponse(row),
  key,
});

/** A key as it sees itself. */
export class OwnApiKeyResponse {
  id: string;
  name: string;
  prefix: string;
}

/** Lists what a key may know of itself. */
export const ownApiKeyResponse = ({ id, name, prefix }: ApiKeyRow): OwnApiKeyResponse => ({ id, name, prefix });

const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;
