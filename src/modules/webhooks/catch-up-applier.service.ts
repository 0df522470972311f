import { Injectable, Logger } from '@nestjs/common';
import { isDataError } from '../../platform/database/database-error';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { type Applied, MessageUpdates } from '../messages/message-updates.service';
import type { WahaMessage } from '../waha/waha.events';
import { type SessionWithEvents, WebhookEventsRepository } from './webhook-events.repository';
import { WebhookMetrics } from './webhook.metrics';

/** Messages of one transaction. */
const BATCH = 100;
/** What was sent so lately may still get its answer, or its echo. */
export const FRESH_MS = 60_000;

/** Applies them as events are applied. */
@Injectable()
export class CatchUpApplier {
  private readonly logger = new Logger(CatchUpApplier.name);

  constructor(
    private readonly db: TenantDatabase,
    private readonly events: WebhookEventsRepository,
    private readonly messages: MessageUpdates,
    private readonly metrics: WebhookMetrics,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Whether all of them were applied: not where one is too fresh. One that cannot be stored is left out, and said so.
   * @param goOn told before each batch; false when somebody else is at it by now
   */
  async apply(session: SessionWithEvents, found: WahaMessage[], goOn: () => Promise<boolean>): Promise<boolean> {
    let all = true;
    for (let from = 0; from < found.length; from += BATCH) {
      if (!(await goOn())) return false;
      const batch = found.slice(from, from + BATCH);
      all = (await this.applySome(session, batch).catch((error) => this.oneByOne(session, batch, error))) && all;
    }
    return all;
  }

  private async oneByOne(session: SessionWithEvents, batch: WahaMessage[], cause: unknown): Promise<boolean> {
    if (!isDataError(cause)) throw cause;
    let all = true;
    for (const message of batch)
      all = (await this.applySome(session, [message]).catch((error) => this.leftOut(session, message, error))) && all;
    return all;
  }

  private leftOut({ session_id }: SessionWithEvents, { waId }: WahaMessage, error: unknown): boolean {
    if (!isDataError(error)) throw error;
    this.logger.error({ msg: 'a message that was missed cannot be stored', session_id, wa_id: waId, err: error });
    return true;
  }

  private async applySome(session: SessionWithEvents, found: WahaMessage[]): Promise<boolean> {
    const key = { tenantId: session.tenant_id, sessionId: session.session_id };
    let learnt: Applied[] = [];
    const applied = await this.db.transaction(session.tenant_id, async (tx) => {
      await this.events.waitForSession(tx, session);
      learnt = await this.messages.learn(tx, key, found);
      const outcomes: Applied[] = [];
      for (const message of found) {
        const patient = Date.now() - message.at.getTime() < FRESH_MS;
        outcomes.push(await this.messages.applyFound(tx, key, message, patient));
      }
      return outcomes;
    });
    await this.messages.release(key, [...applied, ...learnt]);
    const isNew = applied.filter(({ result, note }) => result === 'applied' && note === undefined).length;
    this.metrics.caughtUp(isNew);
    if (isNew > 0) this.wakeups.wake('lanes');
    return applied.every(({ result }) => result !== 'later');
  }
}
