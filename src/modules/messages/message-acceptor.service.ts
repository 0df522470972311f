import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { BatchDatabase } from '../../platform/database/batch-database';
import { GroupCommit } from '../../platform/database/group-commit';
import { Wakeups } from '../../platform/database/wakeups';
import { ACCEPT, ACCEPT_FILES, ACCEPT_FILES_WITHIN_LIMITS, ACCEPT_WITHIN_LIMITS } from './acceptance';
import { MessageMetrics } from './message.metrics';

/** A message on its way into the queue. */
export interface Accepted {
  tenantId: string;
  id: string;
  sessionId: string;
  chat: string;
  type: string;
  body: string | null;
  content: Record<string, unknown>;
  metadata: Record<string, unknown>;
  createdBy: string;
  /** Not before; null: at once. */
  scheduledAt: Date | null;
  /** Not after; null: however late. */
  expiresAt: Date | null;
  /** How many of them its tenant may send in that day (`2026-11-24`); null where there is no bound. */
  quota: { limit: number; day: string } | null;
}

/**
 * What became of it: when it was stored, and as what; `over_quota`: its tenant's day has no more room; `nothing`: there is no
 * such session, or a message of that id was there already.
 */
export type Acceptance = Stored | 'over_quota' | 'nothing';

interface Stored {
  /** The chat that its recipient's is; another than was given where that is an alias. */
  chat: string;
  created_at: Date;
  status: 'queued' | 'scheduled';
}

/** What the statement answers of a message. */
export type Outcome = { id: string } & ((Stored & { over: false }) | { over: true });

/**
 * Writes messages into the queue: what comes at the same time travels in one statement, whichever tenants it is of, and each
 * caller is answered after the commit of its message. The daily quotas of the tenants are kept by that same statement.
 */
@Injectable()
export class MessageAcceptor implements BeforeApplicationShutdown {
  private readonly commits = new GroupCommit<Accepted, Acceptance>({ flush: (batch) => this.flush(batch) });

  constructor(
    private readonly db: BatchDatabase,
    private readonly wakeups: Wakeups,
    private readonly metrics: MessageMetrics,
  ) {}

  /** Stores the message, or nothing; answers once that is durable. */
  accept(message: Accepted): Promise<Acceptance> {
    return this.commits.add(message);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.commits.drain();
  }

  private async flush(batch: Accepted[]): Promise<Acceptance[]> {
    const rows = await this.write(batch);
    const stored = rows.filter(({ over }) => !over).length;
    if (stored > 0) this.wakeups.wake('lanes');
    this.metrics.happened('accepted', stored);
    const outcomes = new Map<string, Acceptance>(rows.map((row) => [row.id, row.over ? 'over_quota' : row]));
    return batch.map(({ id }) => outcomes.get(id) ?? 'nothing');
  }

  private write(batch: Accepted[]): Promise<Outcome[]> {
    const { text, params } = acceptanceOf(batch);
    return this.db.query<Outcome>(
      batch.map(({ tenantId }) => tenantId),
      text,
      params,
    );
  }
}

/** The statement that takes the messages into the queue; it answers an Outcome for each that is stored, or is one too many. */
export function acceptanceOf(batch: readonly Accepted[]): { text: string; params: unknown[] } {
  const column = <T>(pick: (message: Accepted) => T): T[] => batch.map(pick);
  const params = [
    column((m) => m.tenantId),
    column((m) => m.id),
    column((m) => m.sessionId),
    column((m) => m.chat),
    column((m) => m.body),
    column((m) => JSON.stringify(m.content)),
    column((m) => JSON.stringify(m.metadata)),
    column((m) => m.createdBy),
    column((m) => m.type),
    column((m) => m.scheduledAt),
    column((m) => m.expiresAt),
  ];
  const files = batch.some(({ content }) => (content.media as { file_id?: string } | undefined)?.file_id !== undefined);
  // Where nobody has a limit nobody pays for limits.
  if (batch.every(({ quota }) => quota === null)) return { text: files ? ACCEPT_FILES : ACCEPT, params };
  const limits = [column((m) => m.quota?.limit ?? null), column((m) => m.quota?.day ?? null)];
  return { text: files ? ACCEPT_FILES_WITHIN_LIMITS : ACCEPT_WITHIN_LIMITS, params: [...params, ...limits] };
}
