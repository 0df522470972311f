import type { Actor } from '../../common/actor';

/** Whose files the caller sees: an AGENT its own, everybody else the tenant's. Undefined narrows nothing. */
export const seenBy = (actor: Actor): { ownerId?: string } => (actor.role === 'AGENT' ? { ownerId: actor.id } : {});

/** Whether the caller sees this file, apart from one that it can see with its message. */
export const maySee = (actor: Actor, file: { user_id: string | null }): boolean =>
  actor.role !== 'AGENT' || file.user_id === actor.id;
