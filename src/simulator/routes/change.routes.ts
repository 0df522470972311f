import type { FastifyInstance } from 'fastify';
import { authorOf, edit, react, revoke } from '../changes';
import { isGroup, toChatId } from '../chat-ids';
import type { Message } from '../message';
import { requireSession } from '../session-registry';
import { nestError, sessionNotFound } from '../waha-error';
import type { World } from '../world';

interface ByName<Body> {
  Params: { name: string };
  Body: Body;
}

interface WhoBody {
  id: string;
  from_me?: boolean;
  participant?: string;
}

const text = { type: 'string', minLength: 1 };

function object(properties: Record<string, unknown>, required: string[]): Record<string, unknown> {
  return { type: 'object', required, propertyNames: { enum: Object.keys(properties) }, properties };
}

const WHO = { id: text, from_me: { type: 'boolean' }, participant: text };
const EDIT_BODY = object({ id: text, text }, ['id', 'text']);
const REVOKE_BODY = object(WHO, ['id']);
const REACT_BODY = object({ ...WHO, emoji: { type: 'string' } }, ['id', 'emoji']);

/** `/simulator/sessions/:name`: what people do on their phones to a message that the session stores, by its bare id. */
export function registerChangeRoutes(app: FastifyInstance, world: World): void {
  const base = '/simulator/sessions/:name';
  app.post<ByName<{ id: string; text: string }>>(`${base}/edit`, { schema: { body: EDIT_BODY } }, (request) => {
    const { session, message } = find(world, request.params.name, request.body.id);
    edit(world, session, message, request.body.text, 'app');
    return { bare_id: message.bareId, text: request.body.text };
  });
  app.post<ByName<WhoBody>>(`${base}/revoke`, { schema: { body: REVOKE_BODY } }, (request) => {
    const { session, message } = find(world, request.params.name, request.body.id);
    const byAnother = request.body.from_me !== undefined || request.body.participant !== undefined;
    revoke(world, session, message, byAnother ? doerOf(request.body, message) : authorOf(message, 'app'));
    return { bare_id: message.bareId };
  });
  app.post<ByName<WhoBody & { emoji: string }>>(`${base}/react`, { schema: { body: REACT_BODY } }, (request) => {
    const { session, message } = find(world, request.params.name, request.body.id);
    const { emoji } = request.body;
    react(world, session, message, { ...doerOf(request.body, message), emoji });
    return { bare_id: message.bareId, emoji };
  });
}

function find(world: World, name: string, bareId: string) {
  const session = requireSession(world.sessions, name, sessionNotFound);
  const message = session.store.find(bareId);
  if (message === undefined) throw nestError(404, `No stored message with the bare id '${bareId}'`);
  return { session, message };
}

function doerOf({ from_me: fromMe = false, participant }: WhoBody, { chatId }: Message) {
  if (isGroup(chatId) && !fromMe && participant === undefined)
    throw nestError(400, 'In a group it needs a participant, or from_me');
  return {
    fromMe,
    source: 'app' as const,
    ...(participant === undefined ? {} : { participant: toChatId(participant) }),
  };
}
