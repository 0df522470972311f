import { Injectable } from '@nestjs/common';
import { isDatabaseFailure } from '../../platform/database/database-error';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { MessageChanges } from '../messages/message-changes.service';
import { type Applied, MessageUpdates } from '../messages/message-updates.service';
import { type SessionKey, SessionStates } from '../waha/session-states.service';
import { parseEvent, type WahaEvent } from '../waha/waha.events';
import type { Handled, PendingEvent, SessionWithEvents } from './webhook-events.repository';
import { BATCH_BYTES, WebhookEventsRepository } from './webhook-events.repository';
import { WebhookMetrics } from './webhook.metrics';

const BATCH = 100;
/** An echo or ack waits so long for the message that it belongs to. */
const PATIENCE_MS = 60_000;
const LATER_MS = 1_000;
/** An event that cannot be applied is tried so often, with growing pauses, and then parked where people see it. */
const MAX_ATTEMPTS = 6;
const RETRY_MS = 1_000;

/** This event, and not its neighbours or the database, is at fault. */
class EventFailure extends Error {
  constructor(
    readonly event: PendingEvent,
    cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

/** Applies the events of one session in order: a batch in one transaction, and one by one where one of them is bad. */
@Injectable()
export class EventApplier {
  constructor(
    private readonly db: TenantDatabase,
    private readonly events: WebhookEventsRepository,
    private readonly messages: MessageUpdates,
    private readonly changes: MessageChanges,
    private readonly sessions: SessionStates,
    private readonly metrics: WebhookMetrics,
  ) {}

  /** Applies what is due; answers whether there may be more. Rejects only when the database is away. */
  async applyDue(session: SessionWithEvents): Promise<boolean> {
    try {
      return isFull(await this.round(session, BATCH));
    } catch (error) {
      if (isDatabaseFailure(error)) throw error;
      return this.oneByOne(session);
    }
  }

  private async oneByOne(session: SessionWithEvents): Promise<boolean> {
    for (let done = 0; done < BATCH; done += 1) {
      const applied = await this.round(session, 1).catch((error: unknown) => {
        if (error instanceof EventFailure) return this.putAside(session, error);
        throw error;
      });
      if (applied.length === 0) return false;
    }
    return true;
  }

  /** Answers the events that were due. */
  private async round(session: SessionWithEvents, limit: number): Promise<PendingEvent[]> {
    const applied: Applied[] = [];
    let learnt: Applied[] = [];
    const done = await this.db.transaction(session.tenant_id, async (tx) => {
      applied.length = 0;
      if (!(await this.events.lockSession(tx, session))) return [];
      const pending = await this.events.pending(tx, session, limit);
      if (pending.some(({ event }) => event === 'session.status')) await this.events.holdLane(tx, session);
      const said = pending.map(({ body }) => readable(body));
      const messages = said.flatMap((event) => ('kind' in event && event.kind === 'message' ? event.message : []));
      learnt = await this.messages.learn(tx, keyOf(session), messages);
      for (const [nth, event] of pending.entries())
        applied.push(await this.tryToApply(tx, session, { event, said: said[nth] }));
      const handled = pending.map((event, nth) => handledAs(event, applied[nth]));
      if (handled.length > 0) await this.events.mark(tx, session, handled);
      for (const { status } of handled) this.metrics.handled(status === 'pending' ? 'later' : status);
      return pending;
    });
    await this.messages.release(keyOf(session), [...applied, ...learnt]);
    if (applied.some(({ stopped }) => stopped)) this.sessions.heardStopped();
    return done;
  }

  /** The event cannot be applied: it is tried later, and does not hold up those behind it. */
  private putAside(session: SessionWithEvents, { event, message }: EventFailure): Promise<PendingEvent[]> {
    return this.db.transaction(session.tenant_id, async (tx) => {
      if (!(await this.events.lockSession(tx, session))) return [];
      const attempts = event.attempts + 1;
      const failed = attempts >= MAX_ATTEMPTS;
      const delayMs = RETRY_MS * 2 ** attempts;
      const note = message.slice(0, 500);
      await this.events.mark(tx, session, [{ event, status: failed ? 'failed' : 'pending', attempts, delayMs, note }]);
      this.metrics.handled(failed ? 'failed' : 'retried');
      return [event];
    });
  }

  private async tryToApply(
    tx: TenantTransaction,
    session: SessionWithEvents,
    { event, said }: { event: PendingEvent; said: WahaEvent | Error | undefined },
  ): Promise<Applied> {
    try {
      if (said === undefined || said instanceof Error) throw said ?? new Error('not read');
      const patient = Date.now() - event.received_at.getTime() < PATIENCE_MS;
      return await this.apply(tx, keyOf(session), said, patient);
    } catch (error) {
      throw isDatabaseFailure(error) ? error : new EventFailure(event, error as Error);
    }
  }

  private async apply(tx: TenantTransaction, key: SessionKey, event: WahaEvent, patient: boolean): Promise<Applied> {
    switch (event.kind) {
      case 'session.status':
        return (await this.sessions.apply(tx, key, event))
          ? { result: 'applied', stopped: event.status === 'STOPPED' }
          : { result: 'applied', note: 'a newer state is known' };
      case 'message':
        return this.messages.applyMessage(tx, key, event.message, patient);
      case 'ack':
        return this.messages.applyAck(tx, key, event, patient);
      case 'edit':
        return this.changes.applyEdit(tx, key, event.edit, patient);
      case 'revocation':
        return this.changes.applyRevocation(tx, key, event.revocation, patient);
      case 'reaction':
        return this.changes.applyReaction(tx, key, event.reaction, patient);
      case 'ignored':
        return { result: 'ignored', note: event.reason };
    }
  }
}

const keyOf = ({ tenant_id: tenantId, session_id: sessionId }: SessionWithEvents): SessionKey => ({
  tenantId,
  sessionId,
});

/** What an event says; the fault where it cannot be read. */
function readable(body: string): WahaEvent | Error {
  try {
    return parseEvent(body);
  } catch (error) {
    return error as Error;
  }
}

function handledAs(event: PendingEvent, { result, note = '' }: Applied = { result: 'later' }): Handled {
  const status = result === 'later' ? 'pending' : result;
  return { event, status, attempts: event.attempts, delayMs: LATER_MS, note: note || null };
}

/** Whether there may be more behind this batch: it has as many events, or bytes, as one may have. */
const isFull = (batch: PendingEvent[]): boolean =>
  batch.length === BATCH || batch.reduce((bytes, { body }) => bytes + Buffer.byteLength(body), 0) >= BATCH_BYTES;
