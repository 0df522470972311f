import { hkdfSync } from 'node:crypto';
import type { Config } from '../../config/config';
import type { RoleAccess } from './roles';

/**
 * How this installation reaches its database. The roles' password is derived from DATA_ENCRYPTION_KEY, so that every replica
 * knows it and nobody has to invent, store or rotate three more secrets.
 */
export function roleAccessOf(config: Config): RoleAccess {
  if (!config.DATABASE_URL || !config.DATA_ENCRYPTION_KEY)
    throw new Error('DATABASE_URL and DATA_ENCRYPTION_KEY are needed before the database');
  const key = Buffer.from(config.DATA_ENCRYPTION_KEY, 'base64');
  const password = Buffer.from(hkdfSync('sha256', key, '', 'switchboard database roles', 24)).toString('base64url');
  return { ownerUrl: config.DATABASE_URL, rolePrefix: config.DATABASE_ROLE_PREFIX, appPassword: password };
}
