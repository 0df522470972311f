import { createHash } from 'node:crypto';
import { isGroup, parseMessageId } from './chat-ids';
import { ackPayload, reactionPayload, waMessage, type AnswerContext } from './engine-answers';
import type { EventPublisher } from './event-publisher';
import type { EventName } from './event-names';
import type { Faults } from './faults';
import { apiMessageId, phoneMessageId } from './ids';
import type { Message, MessageMedia } from './message';
import type { SendLog } from './send-log';
import type { Session } from './session';
import { ignoresChat } from './session-config';
import type { SessionRegistry } from './session-registry';
import { takesMessageIds, type Settings } from './settings';
import { Timers } from './timers';

/** A message that is to be sent. */
export type Draft = Pick<Message, 'type' | 'chatId' | 'body'> &
  Partial<Pick<Message, 'media' | 'location' | 'vCards' | 'pollOptions' | 'targetId'>> & {
    /** The reserved id; honoured where the engine and version can. */
    id?: string;
  };

/** A message that somebody writes to the session. */
interface InboundMessage {
  /** The phone's chat id, or a group's. */
  from: string;
  text: string;
  id: string | null;
  /** The hidden id under which it arrives; the phone is then the other id. */
  lid: string | null;
  participant: string | null;
  pushName: string;
  media: MessageMedia | null;
}

/** What the publisher, the registry and the rest of the world are to WhatsApp. */
interface WhatsAppSurroundings {
  settings: Settings;
  faults: Faults;
  sends: SendLog;
  sessions: SessionRegistry;
  publisher: EventPublisher;
  /** Where this WAHA is reached, for file links. */
  baseUrl(): string;
}

/** The simulated network and the part of WAHA that hears from it. Its timers outlive a crash of WAHA, as WhatsApp does. */
export class WhatsApp {
  private readonly timers = new Timers();

  constructor(private readonly around: WhatsAppSurroundings) {}

  /** Sends by the API: on record, stored, published as `message.any`; acks follow. A reused id is only on record. */
  send(session: Session, draft: Draft): Message {
    const reserved = takesMessageIds(this.around.settings) ? draft.id : undefined;
    const bareId = reserved === undefined ? apiMessageId() : parseMessageId(reserved).bareId;
    const chatId = session.lids.properId(draft.chatId);
    const message: Message = { ...draft, chatId, bareId, fromMe: true, source: 'api', ...sentNow(session) };
    const record = this.around.sends.add({
      session: session.name,
      chatId: draft.chatId,
      id: bareId,
      text: message.body,
      type: message.type,
      ...(message.media === undefined ? {} : { media: fileRecord(message.media) }),
      ...(message.targetId === undefined ? {} : { targetId: message.targetId }),
    });
    this.keep(session, message);
    this.publishMessage(session, message);
    if (record.duplicateOf === undefined) this.scheduleAcks(session, message);
    return message;
  }

  /** The owner writes on the phone: the session hears of it as `message.any` with source app. */
  sendFromPhone(session: Session, chatId: string, body: string): Message {
    const message: Message = {
      type: 'text',
      chatId,
      body,
      bareId: phoneMessageId(),
      fromMe: true,
      source: 'app',
      ...sentNow(session),
    };
    session.whenOnline(() => {
      this.keep(session, message);
      this.publishMessage(session, message);
      this.scheduleAcks(session, message);
    });
    return message;
  }

  /** Somebody writes to the session; kept by WhatsApp while the session is away. */
  receive(session: Session, inbound: InboundMessage): Message {
    const { from, lid } = inbound;
    const message: Message = {
      type: inbound.media === null ? 'text' : mediaType(inbound.media.mimetype),
      chatId: lid ?? from,
      body: inbound.text,
      bareId: inbound.id ?? phoneMessageId(),
      fromMe: false,
      source: 'app',
      timestampMs: Date.now(),
      ack: 2,
      pushName: inbound.pushName,
      ...(lid === null ? {} : { phoneChatId: from }),
      ...(inbound.participant === null ? {} : { participant: inbound.participant }),
      ...(inbound.media === null ? {} : { media: inbound.media }),
    };
    if (lid !== null) session.lids.learn(lid, from);
    session.whenOnline(() => {
      if (session.deaf) return;
      if (message.media !== undefined) session.files.set(message.bareId, message.media);
      this.keep(session, message);
      this.publishMessage(session, message);
    });
    return message;
  }

  /** An ack reaches the session: stored and published, in a group as `message.ack.group` from DEVICE on. */
  acknowledge(session: Session, message: Message, ack: number): void {
    message.ack = ack;
    if (ignoresChat(session.config, message.chatId)) return;
    const name: EventName = isGroup(message.chatId) && ack >= 2 ? 'message.ack.group' : 'message.ack';
    // WhatsApp acks under the hidden id once both sides know it, although the send was answered with the phone's.
    const chatId = session.lids.lidOf(message.chatId) ?? message.chatId;
    this.around.publisher.publish(session, [name], ackPayload(message, chatId, this.context(session)));
  }

  /** What the rendering of this session's messages depends on. */
  context(session: Session): AnswerContext {
    return {
      engine: this.around.settings.engine,
      meId: session.me?.id ?? null,
      filesUrl: `${this.around.baseUrl()}/api/files/${session.name}`,
    };
  }

  /** Whether this session's config makes the engine store messages; WEBJS always has them. */
  storesMessages(session: Session): boolean {
    switch (this.around.settings.engine) {
      case 'NOWEB':
        return session.config?.noweb?.store?.enabled === true;
      case 'GOWS':
        return session.config?.gows?.storage?.messages !== false;
      case 'WEBJS':
        return true;
    }
  }

  /** Ends all timers. */
  close(): void {
    this.timers.close();
  }

  private keep(session: Session, message: Message): void {
    const chatKey = session.lids.chatKey(message.chatId);
    session.knownChats.add(chatKey);
    session.activityAtMs = Date.now();
    if (message.type === 'reaction' || ignoresChat(session.config, message.chatId)) return;
    if (this.storesMessages(session)) session.store.add(message, chatKey);
  }

  private publishMessage(session: Session, message: Message): void {
    if (ignoresChat(session.config, message.chatId)) return;
    const context = this.context(session);
    if (message.type === 'reaction') {
      const target = session.store.find(message.targetId ?? '');
      this.around.publisher.publish(session, ['message.reaction'], reactionPayload(message, target, context));
      return;
    }
    const payload = waMessage(message, context);
    this.around.publisher.publish(session, message.fromMe ? ['message.any'] : ['message', 'message.any'], payload);
  }

  private scheduleAcks(session: Session, message: Message): void {
    if (message.type === 'reaction') return;
    const { ackServer, ackDevice, ackRead } = this.around.settings.timing;
    this.ackAfter(session, message, [
      ackServer,
      Math.max(0, ackDevice - ackServer),
      Math.max(0, ackRead - Math.max(ackServer, ackDevice)),
    ]);
  }

  private ackAfter(session: Session, message: Message, pausesMs: readonly number[]): void {
    const [pauseMs, ...later] = pausesMs;
    if (pauseMs === undefined) return;
    const ack = 3 - later.length;
    this.timers.after(pauseMs, () => {
      if (!this.around.sessions.has(session)) return;
      const { current, random } = this.around.faults;
      if (!random.chance(current.ack_lose_rate)) {
        session.whenOnline(() => {
          if (!session.deaf) this.acknowledge(session, message, ack);
        });
      }
      this.ackAfter(session, message, later);
    });
  }
}

function sentNow(session: Session): Pick<Message, 'timestampMs' | 'ack' | 'pushName'> {
  return { timestampMs: Date.now(), ack: 0, pushName: session.me?.pushName ?? null };
}

const fileRecord = ({ mimetype, filename, bytes }: MessageMedia) => ({
  ...{ mimetype, filename, size: bytes.length },
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

function mediaType(mimetype: string): Message['type'] {
  if (mimetype.startsWith('image/')) return 'image';
  if (mimetype.startsWith('video/')) return 'video';
  return mimetype.startsWith('audio/') ? 'voice' : 'file';
}
