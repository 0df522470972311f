import { type Actor, actorMay } from '../../common/actor';
import { type Permission, permissionsOf, PERSONAL_PERMISSIONS, type TenantRole } from '../../common/permissions';

/** What a key may do: one of the two, the other is null. */
export interface KeyRights {
  role: TenantRole | null;
  scopes: readonly Permission[] | null;
}

/**
 * Whether the actor may make, change or renew a key of these rights: only where it holds every one of them itself. A key
 * that may manage keys would otherwise be worth whatever it can make.
 */
export function mayHandle(actor: Actor, { role, scopes }: KeyRights): boolean {
  const rights = scopes ?? (role === null ? [] : permissionsOf(role));
  // What is a person's own comes with a role but never with a key.
  return rights.every((right) => PERSONAL_PERMISSIONS.includes(right) || actorMay(actor, right));
}
