import { CommonErrors } from '../../common/common.errors';
import type { KeySettings } from './api-keys.repository';

const FIELDS = ['name', 'role', 'scopes', 'expires_at', 'requests_per_minute', 'allowed_cidrs'] as const;

/** The key as it is to be: role and scopes replace each other, all else stays where it is not named. */
export function merged<K extends KeySettings>(key: K, change: Partial<KeySettings>): K {
  const wanted = { ...key, ...change };
  if (change.role && !change.scopes) return { ...wanted, scopes: null };
  if (change.scopes && !change.role) return { ...wanted, role: null };
  return wanted;
}

/**
 * What no single field can say of a key.
 * @param given what was asked for: an end that the key has already, and that has passed, is no fault of another change
 * @throws VALIDATION_FAILED
 */
export function requireSound(settings: KeySettings, given: Partial<KeySettings> = settings): void {
  const { role, scopes } = settings;
  if ((role === null) === (scopes === null))
    throw CommonErrors.invalidField('role', 'a key has either role or scopes, and exactly one of them');
  if (given.expires_at && given.expires_at.getTime() <= Date.now())
    throw CommonErrors.invalidField('expires_at', 'expires_at must be in the future');
}

/** The names of the fields in which the two differ. */
export const changedFields = (before: KeySettings, after: KeySettings): string[] =>
  FIELDS.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
