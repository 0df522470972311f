import { LidBook } from './lid-book';
import { MessageStore } from './message-store';
import type { Me } from './me';

/** What WAHA keeps of a session in its storage. */
export interface SessionMemory {
  /** Whose phone it is paired with; null when it is not. */
  me: Me | null;
  readonly lids: LidBook;
  readonly store: MessageStore;
  /** Chats, by key, in which something was written already: WhatsApp's 463 and 475 do not touch them. */
  readonly knownChats: Set<string>;
}

/**
 * The session storage of one WAHA, or of several that share a database: a session that is paired on one of them is so on all,
 * and works wherever it is started.
 */
export class SharedStorage {
  private readonly memories = new Map<string, SessionMemory>();

  /** What is kept of the session of that name; of a new one nothing yet. */
  of(name: string): SessionMemory {
    const known = this.memories.get(name);
    if (known) return known;
    const memory = { me: null, lids: new LidBook(), store: new MessageStore(), knownChats: new Set<string>() };
    this.memories.set(name, memory);
    return memory;
  }

  /** Forgets it: whoever makes it again has to pair it. */
  forget(name: string): void {
    this.memories.delete(name);
  }
}
