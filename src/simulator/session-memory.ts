import type { LidBook } from './lid-book';
import type { MessageStore } from './message-store';

/** Whose phone a session is paired with. */
export interface Me {
  id: string;
  pushName: string;
  lid: string;
}

/** What WAHA keeps of a session in its storage. */
export interface SessionMemory {
  /** Whose phone it is paired with; null when it is not. */
  me: Me | null;
  readonly lids: LidBook;
  readonly store: MessageStore;
  /** Chats, by key, in which something was written already: WhatsApp's 463 and 475 do not touch them. */
  readonly knownChats: Set<string>;
}
