import type { Actor } from '../../common/actor';
import type { Role } from '../../common/permissions';

/** Roles that see what they did themselves, and nothing else. */
const OWN_ONLY: readonly Role[] = ['MANAGER', 'AGENT'];

/** What a list of records is narrowed to for the actor: users and keys of these roles to their own, all others to nothing. */
export const readableBy = ({ role, id }: Actor): { actorId?: string } =>
  role !== null && OWN_ONLY.includes(role) ? { actorId: id } : {};
