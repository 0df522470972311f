import type { Message } from './message';

/** Which messages are wanted, as the query of WAHA's messages endpoint says it. */
export interface MessageQuery {
  /** A chat's key, or `all`. */
  chat: string;
  limit: number;
  offset: number;
  newestFirst: boolean;
  /** Inclusive bounds, in seconds. */
  fromSeconds: number;
  toSeconds: number;
  fromMe: boolean | null;
  ack: number | null;
}

/** A session's own store of messages, as NOWEB and GOWS keep it; always in order of time. */
export class MessageStore {
  private readonly all: Message[] = [];
  private readonly byBareId = new Map<string, Message>();
  private readonly byChat = new Map<string, Message[]>();

  /** Keeps a message under its chat's key; one with a known bare id is dropped and false returned. */
  add(message: Message, chatKey: string): boolean {
    if (this.byBareId.has(message.bareId)) return false;
    this.byBareId.set(message.bareId, message);
    insertInOrder(this.all, message);
    const chat = this.byChat.get(chatKey);
    if (chat === undefined) this.byChat.set(chatKey, [message]);
    else insertInOrder(chat, message);
    return true;
  }

  /** The message with that bare id. */
  find(bareId: string): Message | undefined {
    return this.byBareId.get(bareId);
  }

  /** A page of messages in the wanted order. */
  list(query: MessageQuery): Message[] {
    const source = query.chat === 'all' ? this.all : (this.byChat.get(query.chat) ?? []);
    const page: Message[] = [];
    let skipped = 0;
    for (let step = 0; step < source.length && page.length < query.limit; step += 1) {
      const message = source[query.newestFirst ? source.length - 1 - step : step];
      if (message === undefined || !matches(message, query)) continue;
      if (skipped < query.offset) skipped += 1;
      else page.push(message);
    }
    return page;
  }

  /** Every chat with its last message, the latest first. */
  chats(): Array<{ chatKey: string; last: Message }> {
    const chats: Array<{ chatKey: string; last: Message }> = [];
    for (const [chatKey, messages] of this.byChat) {
      const last = messages.at(-1);
      if (last !== undefined) chats.push({ chatKey, last });
    }
    return chats.sort((a, b) => b.last.timestampMs - a.last.timestampMs);
  }
}

function insertInOrder(messages: Message[], message: Message): void {
  let place = messages.length;
  while (place > 0 && (messages[place - 1]?.timestampMs ?? 0) > message.timestampMs) place -= 1;
  if (place === messages.length) messages.push(message);
  else messages.splice(place, 0, message);
}

function matches(message: Message, query: MessageQuery): boolean {
  const seconds = Math.floor(message.timestampMs / 1000);
  if (seconds < query.fromSeconds || seconds > query.toSeconds) return false;
  if (query.fromMe !== null && message.fromMe !== query.fromMe) return false;
  return query.ack === null || message.ack === query.ack;
}
