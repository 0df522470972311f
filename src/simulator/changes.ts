import { isGroup, toJid } from './chat-ids';
import { reactionPayload, waMessage } from './engine-answers';
import type { EventName } from './event-names';
import { apiMessageId, phoneMessageId } from './ids';
import type { Message } from './message';
import type { Session } from './session';
import { ignoresChat } from './session-config';
import type { World } from './world';

/** Who does something to a message, and whether through WAHA's API or on a phone. */
interface Doer {
  fromMe: boolean;
  source: 'api' | 'app';
  /** In a group. */
  participant?: string;
}

/** WhatsApp's numbers of what a protocol message does. */
const REVOKE = 0;
const MESSAGE_EDIT = 14;

/** Its author edits a message. Told as a message of its own; by WEBJS as the edited message itself. */
export function edit(world: World, session: Session, message: Message, text: string, source: Doer['source']): void {
  tell(world, session, message, 'message.edited', () => {
    message.body = text;
    const { context, engine } = around(world, session);
    const edited = { editedMessageId: message.bareId };
    if (engine === 'WEBJS') return { ...waMessage(message, context), ...edited };
    const doing = { ...actionOn(session, message, authorOf(message, source)), body: text };
    const content = { type: MESSAGE_EDIT, editedMessage: { conversation: text } };
    return { ...asProtocol(waMessage(doing, context), message, { engine, content }), ...edited };
  });
}

/** A message is taken back. `before`, what it said, is only known to WEBJS. */
export function revoke(world: World, session: Session, message: Message, doer: Doer): void {
  tell(world, session, message, 'message.revoked', () => {
    const { context, engine } = around(world, session);
    const after = waMessage({ ...actionOn(session, message, doer), body: '' }, context);
    const before = engine === 'WEBJS' ? waMessage(message, context) : null;
    message.body = '';
    const told = engine === 'WEBJS' ? after : asProtocol(after, message, { engine, content: { type: REVOKE } });
    return { after: told, before, revokedMessageId: message.bareId, _data: told._data };
  });
}

/** Somebody reacts to a message; an empty emoji takes that back. */
export function react(world: World, session: Session, message: Message, doer: Doer & { emoji: string }): void {
  tell(world, session, message, 'message.reaction', () => {
    const reaction: Message = {
      ...actionOn(session, message, doer),
      type: 'reaction',
      body: doer.emoji,
      targetId: message.bareId,
    };
    return reactionPayload(reaction, message, around(world, session).context);
  });
}

/** WhatsApp keeps it while the session is away. */
function tell(world: World, session: Session, message: Message, name: EventName, payload: () => unknown): void {
  if (ignoresChat(session.config, message.chatId)) return;
  session.whenOnline(() => world.publisher.publish(session, [name], payload()));
}

const around = (world: World, session: Session) => ({
  context: world.whatsapp.context(session),
  engine: world.settings.engine,
});

/** Whoever wrote the message. */
export const authorOf = ({ fromMe, participant }: Message, source: Doer['source']): Doer => ({
  fromMe,
  source,
  ...(participant === undefined ? {} : { participant }),
});

function actionOn(session: Session, { chatId, phoneChatId }: Message, { fromMe, source, participant }: Doer): Message {
  return {
    type: 'text',
    chatId,
    body: '',
    bareId: source === 'api' ? apiMessageId() : phoneMessageId(),
    fromMe,
    source,
    timestampMs: Date.now(),
    ack: fromMe ? 0 : 2,
    pushName: fromMe ? (session.me?.pushName ?? null) : 'Alice',
    ...(phoneChatId === undefined ? {} : { phoneChatId }),
    ...(participant === undefined || !isGroup(chatId) ? {} : { participant }),
  };
}

/** The raw form of NOWEB and GOWS: a protocol message that names the one it is about. */
function asProtocol(
  payload: Record<string, unknown>,
  { chatId, fromMe, bareId }: Message,
  { engine, content }: { engine: 'NOWEB' | 'GOWS'; content: object },
): Record<string, unknown> {
  const jid = toJid(chatId);
  const key = engine === 'GOWS' ? { remoteJID: jid, fromMe, ID: bareId } : { remoteJid: jid, fromMe, id: bareId };
  const name = engine === 'GOWS' ? 'Message' : 'message';
  return { ...payload, _data: { ...(payload._data as object), [name]: { protocolMessage: { key, ...content } } } };
}
