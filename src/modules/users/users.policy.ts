import { type Actor, actorMay } from '../../common/actor';
import { permissionsOf, PERSONAL_PERMISSIONS, type TenantRole } from '../../common/permissions';

/**
 * Whether the actor may make, change or remove a user of that role: only if it holds itself what the role holds. Whoever
 * administers users by role does; an API key that has the scope alone cannot make itself an administrator.
 */
export const mayHandleRole = (actor: Actor, role: TenantRole): boolean =>
  permissionsOf(role).every((permission) => PERSONAL_PERMISSIONS.includes(permission) || actorMay(actor, permission));
