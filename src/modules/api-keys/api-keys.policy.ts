import { type Actor, actorMay } from '../../common/actor';
import { isWithin } from '../../common/cidr';
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

/** What a key is bound by. */
export interface KeyBounds {
  /** Null for a key that does not end. */
  expires_at: Date | null;
  /** Null where only the plan counts. */
  requests_per_minute: number | null;
  /** Empty where any address will do. */
  allowed_cidrs: readonly string[];
}

/** The names of the bounds that are looser than those of the key that makes, changes or renews the other. */
export function looserBounds(own: KeyBounds, other: KeyBounds): (keyof KeyBounds)[] {
  const looser = {
    expires_at: isAbove(other.expires_at?.getTime(), own.expires_at?.getTime()),
    requests_per_minute: isAbove(other.requests_per_minute, own.requests_per_minute),
    allowed_cidrs: isWider(other.allowed_cidrs, own.allowed_cidrs),
  };
  return (Object.keys(looser) as (keyof KeyBounds)[]).filter((bound) => looser[bound]);
}

/** No figure is above every other. */
const isAbove = (other: number | null | undefined, own: number | null | undefined): boolean =>
  (other ?? Infinity) > (own ?? Infinity);

/** Each network has to lie in one of those of one's own: that several of them together cover it is not looked for. */
function isWider(other: readonly string[], own: readonly string[]): boolean {
  if (own.length === 0) return false;
  return other.length === 0 || !other.every((inner) => own.some((outer) => isWithin(inner, outer)));
}
