import type { MessageType } from './message';

/** One send that reached WhatsApp. */
interface SendRecord {
  /** Grows by one with each send, also over a clearing of the log. */
  seq: number;
  session: string;
  chatId: string;
  /** Bare message id. */
  id: string;
  text: string;
  /** When it reached WhatsApp, ISO 8601. */
  at: string;
  type: MessageType;
  /** The file as it came, where there is one. */
  media?: { mimetype: string; filename: string | null; size: number; sha256: string };
  /** Bare id of the message that it quotes or reacts to. */
  targetId?: string;
  /** The `seq` of the first send with this id in this session: WhatsApp drops this one, a test must see it. */
  duplicateOf?: number;
}

/** The record of every send that reached WhatsApp, in order. Adding and reading from a point are O(1). */
export class SendLog {
  private records: SendRecord[] = [];
  private seqById = new Map<string, number>();
  private lastSeq = 0;

  /** Notes a send and gives its record back. */
  add(send: Omit<SendRecord, 'seq' | 'at' | 'duplicateOf'>): SendRecord {
    this.lastSeq += 1;
    const key = `${send.session}/${send.id}`;
    const duplicateOf = this.seqById.get(key);
    const record: SendRecord = { seq: this.lastSeq, ...send, at: new Date().toISOString() };
    if (duplicateOf === undefined) this.seqById.set(key, record.seq);
    else record.duplicateOf = duplicateOf;
    this.records.push(record);
    return record;
  }

  /** The sends after that `seq`, of one session or of all. */
  list(after: number, session: string | null): SendRecord[] {
    const first = this.records[0]?.seq ?? this.lastSeq + 1;
    const recent = this.records.slice(Math.max(0, after - first + 1));
    return session === null ? recent : recent.filter((record) => record.session === session);
  }

  /** Forgets all sends; `seq` goes on. */
  clear(): void {
    this.records = [];
    this.seqById = new Map();
  }

  /** How many sends are on record. */
  get size(): number {
    return this.records.length;
  }
}
