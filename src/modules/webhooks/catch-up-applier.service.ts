import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { type Applied, MessageUpdates } from '../messages/message-updates.service';
import type { WahaMessage } from '../waha/waha.events';
import { type SessionWithEvents, WebhookEventsRepository } from './webhook-events.repository';
import { WebhookMetrics } from './webhook.metrics';

/** Messages of one transaction. */
const BATCH = 100;
/** What was sent so lately may still get its answer, or its echo. */
const FRESH_MS = 60_000;

/** Applies them as events are applied. */
@Injectable()
export class CatchUpApplier {
  constructor(
    private readonly db: TenantDatabase,
    private readonly events: WebhookEventsRepository,
    private readonly messages: MessageUpdates,
    private readonly metrics: WebhookMetrics,
    private readonly wakeups: Wakeups,
  ) {}

  /** Whether all of them were applied: not while events of the session are being applied, or one is too fresh. */
  async apply(session: SessionWithEvents, found: WahaMessage[]): Promise<boolean> {
    let all = true;
    for (let from = 0; from < found.length; from += BATCH)
      all = (await this.applySome(session, found.slice(from, from + BATCH))) && all;
    return all;
  }

  private async applySome(session: SessionWithEvents, found: WahaMessage[]): Promise<boolean> {
    const key = { tenantId: session.tenant_id, sessionId: session.session_id };
    const applied: Applied[] = [];
    const alone = await this.db.transaction(session.tenant_id, async (tx) => {
      applied.length = 0;
      if (!(await this.events.lockSession(tx, session))) return false;
      for (const message of found) {
        const patient = Date.now() - message.at.getTime() < FRESH_MS;
        applied.push(await this.messages.applyMessage(tx, key, message, patient));
      }
      return true;
    });
    await this.messages.release(key, applied);
    const isNew = applied.filter(({ result, note }) => result === 'applied' && note === undefined).length;
    this.metrics.caughtUp(isNew);
    if (isNew > 0) this.wakeups.wake('lanes');
    return alone && applied.every(({ result }) => result !== 'later');
  }
}
