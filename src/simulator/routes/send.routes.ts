import type { FastifyInstance, FastifyReply } from 'fastify';
import { DRAFT_BUILDERS, reactionDraft, type DraftBuilder, type UncheckedBody } from '../drafts';
import { sendAnswer } from '../engine-answers';
import type { Session } from '../session';
import { nestError } from '../waha-error';
import type { Draft } from '../whatsapp';
import type { World } from '../world';

interface Unchecked {
  Body: UncheckedBody;
}

/** The sends; like WAHA's they are not validated: what is missing is a 500 with a TypeError. */
export function registerSendRoutes(app: FastifyInstance, world: World): void {
  const send = async (body: UncheckedBody, build: DraftBuilder, reply: FastifyReply) => {
    const session = await workingSession(world, body);
    const draft = await build(body, world.fileAgent);
    refuseIfAsked(world, session, draft);
    const message = world.whatsapp.send(session, draft);
    const { current, random } = world.faults;
    if (random.chance(current.error_after_send_rate)) throw new Error('Simulated failure, the message was sent');
    if (random.chance(current.timeout_after_send_rate)) {
      reply.hijack();
      return;
    }
    return sendAnswer(message, world.whatsapp.context(session));
  };
  for (const [path, build] of Object.entries(DRAFT_BUILDERS)) {
    app.post<Unchecked>(path, (request, reply) => send(request.body, build, reply));
  }
  app.put<Unchecked>('/api/reaction', (request, reply) => send(request.body, reactionDraft, reply));
  registerSigns(app, world);
}

/** The signs of life that leave no message. */
function registerSigns(app: FastifyInstance, world: World): void {
  app.post<Unchecked>('/api/sendSeen', async (request) => {
    await workingSession(world, request.body);
    return { ids: [] };
  });
  for (const path of ['/api/startTyping', '/api/stopTyping']) {
    app.post<Unchecked>(path, async (request) => {
      await workingSession(world, request.body);
      return { result: true };
    });
  }
  app.post<{ Params: { session: string } }>('/api/:session/presence', async (request, reply) => {
    await world.sessions.inStatus(request.params.session, 'WORKING');
    return reply.send();
  });
}

async function workingSession(world: World, body: UncheckedBody): Promise<Session> {
  const { session } = body;
  if (typeof session !== 'string' || session === '') throw nestError(400, 'Session name is required');
  return world.sessions.inStatus(session, 'WORKING');
}

function refuseIfAsked(world: World, session: Session, draft: Draft): void {
  const { send_error: reason, send_error_scope: scope } = world.faults.current;
  if (reason === null) return;
  if (scope === 'new_chats' && session.knownChats.has(session.lids.chatKey(draft.chatId))) return;
  const prefix = world.settings.engine === 'GOWS' ? '2 UNKNOWN: ' : '';
  throw new Error(`${prefix}server returned error ${reason}`);
}
