import { type Permission, permissionsOf, PERSONAL_PERMISSIONS, type Role, roleMay } from './permissions';

/**
 * Who is calling: the first argument of every service method. The tenant always comes from here, never from a body or a
 * query. What nobody called for (webhooks, workers) carries its tenant explicitly.
 */
export interface Actor {
  kind: 'user' | 'key' | 'platform';
  /** The id of the user or of the API key; PLATFORM_ADMIN_ID for the platform administrator. */
  id: string;
  /** PLATFORM_TENANT_ID only for a platform administrator who has selected no tenant. */
  tenantId: string;
  /** Null for an API key that has scopes instead. */
  role: Role | null;
  /** The permissions of an API key without a role; null where the role says it all. */
  scopes: readonly Permission[] | null;
  /** Requests a minute of an API key that has a limit of its own; null where only the plan's counts. */
  requestsPerMinute: number | null;
  /** The login (family of refresh tokens) that the access token belongs to; null for keys and the platform. */
  loginId: string | null;
}

/** A person who is logged in. */
export interface UserActor extends Actor {
  kind: 'user';
  loginId: string;
}

/** Stands for "no tenant" where a tenant is written: the platform's own audit chain, its administrator without a tenant. */
export const PLATFORM_TENANT_ID = '00000000-0000-0000-0000-000000000000';

/** Stands for the platform administrator where the id of a user is written. */
export const PLATFORM_ADMIN_ID = '00000000-0000-7000-8000-000000000001';

/** A person who is logged in, in that role. */
export const userActor = (user: { id: string; tenantId: string; role: Role; loginId: string }): UserActor => ({
  kind: 'user',
  id: user.id,
  tenantId: user.tenantId,
  role: user.role,
  scopes: null,
  requestsPerMinute: null,
  loginId: user.loginId,
});

/** Whether this is a person who is logged in. */
export const isUser = (actor: Actor): actor is UserActor => actor.kind === 'user' && actor.loginId !== null;

/** What every caller may, whatever its scopes: it learns who it is. */
const OF_EVERYBODY: Permission = 'profile:read';

/**
 * Whether the actor holds the permission, by its role or its scopes. What is a person's own (its logins, its password) no
 * key and no platform administrator holds.
 */
export function actorMay(actor: Actor, permission: Permission): boolean {
  if (actor.kind !== 'user' && PERSONAL_PERMISSIONS.includes(permission)) return false;
  if (actor.scopes) return permission === OF_EVERYBODY || actor.scopes.includes(permission);
  return actor.role !== null && roleMay(actor.role, permission);
}

/** The permissions that the actor holds, in the order of the role table. */
export function permissionsOfActor(actor: Actor): Permission[] {
  return permissionsOf(null).filter((permission) => actorMay(actor, permission));
}
