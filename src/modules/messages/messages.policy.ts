import type { Actor } from '../../common/actor';

/** Whose messages the caller reads: an AGENT its own, everybody else the tenant's. Undefined narrows nothing. */
export const readableBy = (actor: Actor): { createdBy?: string } =>
  actor.role === 'AGENT' ? { createdBy: actor.id } : {};

/** Whether the caller may read this message. */
export const mayRead = (actor: Actor, message: { created_by: string | null }): boolean =>
  actor.role !== 'AGENT' || message.created_by === actor.id;
