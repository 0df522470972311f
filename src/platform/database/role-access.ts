import { hkdfSync } from 'node:crypto';
import type { Config } from '../../config/config';
import { ConfigError } from '../../config/start.error';
import type { RoleAccess } from './roles';

/**
 * How this installation reaches its database. The roles' password is derived from DATA_ENCRYPTION_KEY, so that every replica
 * knows it and nobody has to invent, store or rotate three more secrets.
 * @throws ConfigError when one of the two is missing
 */
export function roleAccessOf(config: Config): RoleAccess & { auditRetentionDays: number } {
  const { DATABASE_URL: ownerUrl, DATA_ENCRYPTION_KEY: encoded, DATABASE_ROLE_PREFIX: rolePrefix } = config;
  if (!ownerUrl || !encoded) throw new ConfigError(missing(config));
  return { ownerUrl, rolePrefix, appPassword: rolePassword(encoded), auditRetentionDays: config.AUDIT_RETENTION_DAYS };
}

/** The password of the three login roles that belongs to a DATA_ENCRYPTION_KEY (base64). */
export function rolePassword(encodedKey: string): string {
  const key = Buffer.from(encodedKey, 'base64');
  return Buffer.from(hkdfSync('sha256', key, '', 'switchboard database roles', 24)).toString('base64url');
}

const missing = (config: Config): string[] =>
  (['DATABASE_URL', 'DATA_ENCRYPTION_KEY'] as const)
    .filter((name) => !config[name])
    .map((name) => `${name} is required here: only npm start makes up for it`);
