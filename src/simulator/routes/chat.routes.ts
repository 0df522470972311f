import type { FastifyInstance } from 'fastify';
import { edit, revoke } from '../changes';
import { parseMessageId, toChatId } from '../chat-ids';
import { waMessage } from '../engine-answers';
import { apiMessageId } from '../ids';
import { ackName, type Message } from '../message';
import type { MessageQuery } from '../message-store';
import type { Session } from '../session';
import { takesMessageIds } from '../settings';
import { nestError, notImplementedByEngine } from '../waha-error';
import type { World } from '../world';

interface ByName {
  Params: { session: string };
  Querystring: Record<string, string | undefined>;
}

interface ByChat {
  Params: { session: string; chatId: string };
  Querystring: Record<string, string | undefined>;
}

interface ByMessage {
  Params: { session: string; chatId: string; messageId: string };
  Querystring: Record<string, string | undefined>;
  Body: { text?: unknown };
}

const DEFAULT_LIMIT = 10;

/** Reserved message ids, chats and the messages in them. */
export function registerChatRoutes(app: FastifyInstance, world: World): void {
  registerMessageIds(app, world);
  registerLists(app, world);
  registerMessages(app, world);
}

function registerMessageIds(app: FastifyInstance, world: World): void {
  const { settings } = world;
  // An older WAHA has no such route: 404 as for any unknown path.
  if (!takesMessageIds(settings) && settings.engine !== 'WEBJS') return;
  app.get<ByName>('/api/:session/new-message-id', async (request) => {
    await world.sessions.inStatus(request.params.session, 'WORKING');
    if (!takesMessageIds(settings)) throw notImplementedByEngine(settings.engine);
    return { id: apiMessageId() };
  });
}

function registerLists(app: FastifyInstance, world: World): void {
  app.get<ByName>('/api/:session/chats', async (request) => {
    const session = await sessionWithStore(world, request.params.session);
    return pageOfChats(session, request.query).map(({ chatKey, last }) => ({
      id: world.settings.engine === 'WEBJS' ? webjsChatId(chatKey) : chatKey,
      name: last.fromMe ? null : last.pushName,
      conversationTimestamp: Math.floor(last.timestampMs / 1000),
    }));
  });
  app.get<ByName>('/api/:session/chats/overview', async (request) => {
    const session = await sessionWithStore(world, request.params.session);
    return pageOfChats(session, request.query).map(({ chatKey, last }) => ({
      id: chatKey,
      name: last.fromMe ? null : last.pushName,
      picture: null,
      lastMessage: waMessage(last, world.whatsapp.context(session)),
      _chat: { id: chatKey },
    }));
  });
  app.get<ByChat>('/api/:session/chats/:chatId/messages', async (request) => {
    const session = await sessionWithStore(world, request.params.session);
    const query = messageQuery(chatKeyOf(session, request.params.chatId), request.query);
    const context = world.whatsapp.context(session);
    return session.store.list(query).map((message) => listed(waMessage(message, context), request.query));
  });
}

function registerMessages(app: FastifyInstance, world: World): void {
  const path = '/api/:session/chats/:chatId/messages/:messageId';
  app.get<ByMessage>(path, async (request) => {
    const { session, message } = await findMessage(world, request.params);
    return listed(waMessage(message, world.whatsapp.context(session)), request.query);
  });
  app.put<ByMessage>(path, async (request, reply) => {
    const { session, message } = await findMessage(world, request.params);
    edit(world, session, message, String(request.body.text), 'api');
    return reply.send({});
  });
  app.delete<ByMessage>(path, async (request, reply) => {
    const { session, message } = await findMessage(world, request.params);
    revoke(world, session, message, { fromMe: true, source: 'api' });
    return reply.send({});
  });
}

/** WAHA says nothing of a file that it was not asked to fetch, but that there is one. */
const listed = (answer: Record<string, unknown>, query: Record<string, string | undefined>): Record<string, unknown> =>
  query.downloadMedia === 'false' ? { ...answer, media: null } : answer;

async function sessionWithStore(world: World, name: string): Promise<Session> {
  const session = await world.sessions.inStatus(name, 'WORKING');
  if (world.settings.engine === 'NOWEB' && !world.whatsapp.storesMessages(session)) {
    throw nestError(
      400,
      'Enable NOWEB store "config.noweb.store.enabled=True" and "config.noweb.store.full_sync=True" when starting a new session. Read more: https://waha.devlike.pro/docs/engines/noweb#store',
    );
  }
  return session;
}

async function findMessage(
  world: World,
  { session: name, chatId, messageId }: ByMessage['Params'],
): Promise<{ session: Session; message: Message }> {
  const session = await sessionWithStore(world, name);
  const id = parseMessageId(messageId);
  const message = session.store.find(id.bareId);
  const isKnownForm = id.chatId !== null || world.settings.engine !== 'WEBJS';
  const chatKey = chatKeyOf(session, chatId);
  if (message === undefined || !isKnownForm || (chatKey !== 'all' && chatKeyOf(session, message.chatId) !== chatKey)) {
    throw nestError(404, `Message with id '${messageId}' not found`);
  }
  return { session, message };
}

function chatKeyOf(session: Session, chatId: string): string {
  return chatId === 'all' ? 'all' : session.lids.chatKey(toChatId(chatId));
}

function pageOfChats(session: Session, query: Record<string, string | undefined>) {
  const offset = Number(query.offset ?? 0);
  const chats = session.store.chats();
  if (query.sortOrder === 'asc') chats.reverse();
  return chats.slice(offset, query.limit === undefined ? undefined : offset + Number(query.limit));
}

function messageQuery(chat: string, query: Record<string, string | undefined>): MessageQuery {
  const fromMe = query['filter.fromMe'];
  const ack = [-1, 0, 1, 2, 3, 4].find((level) => ackName(level) === query['filter.ack']);
  return {
    chat,
    limit: Number(query.limit ?? DEFAULT_LIMIT),
    offset: Number(query.offset ?? 0),
    newestFirst: query.sortOrder !== 'asc',
    fromSeconds: Number(query['filter.timestamp.gte'] ?? 0),
    toSeconds: Number(query['filter.timestamp.lte'] ?? Number.MAX_SAFE_INTEGER),
    fromMe: fromMe === undefined ? null : fromMe === 'true',
    ack: ack ?? null,
  };
}

function webjsChatId(chatId: string): Record<string, string> {
  const [user = '', server = ''] = chatId.split('@');
  return { server, user, _serialized: chatId };
}
