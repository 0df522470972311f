import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { COUNT_CAP, type Page, type PageRequest, pageOf, totalOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { Wakeups } from '../../platform/database/wakeups';
import { type StoredEventFilter, type StoredEventRow, StoredEventsRepository } from './stored-events.repository';
import { WebhookErrors } from './webhooks.errors';

/** The tenant's view of the events that WAHA posted: what became of them, and applying one again. */
@Injectable()
export class StoredEvents {
  constructor(
    private readonly events: StoredEventsRepository,
    private readonly audit: AuditLog,
    private readonly wakeups: Wakeups,
  ) {}

  /** Newest first. */
  async list({ tenantId }: Actor, filter: StoredEventFilter, request: PageRequest): Promise<Page<StoredEventRow>> {
    const page = pageOf(await this.events.list(tenantId, filter, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.events.count(tenantId, filter, COUNT_CAP + 1)) };
  }

  /** With its body. Of one that failed it is noted that somebody has looked. @throws NOT_FOUND */
  async get({ tenantId }: Actor, id: string): Promise<StoredEventRow & { body: string }> {
    const event = await this.events.findById(tenantId, id);
    if (!event) throw CommonErrors.notFound('event');
    if (event.status === 'failed' && event.seen_at === null) await this.events.see(tenantId, id);
    return event;
  }

  /**
   * Has an event applied again that failed or was ignored, as if it came now: of several who ask at once one does it.
   * @throws NOT_FOUND, EVENT_STATE when it is applied, or waits to be
   */
  async replay(actor: Actor, id: string): Promise<StoredEventRow> {
    const record = this.audit.row(actor, { action: 'WEBHOOK_EVENT_REPLAYED', resource: `webhook_event:${id}` });
    const replayed = await this.events.replay(actor.tenantId, id, record);
    if (replayed) {
      this.wakeups.wake('events');
      return replayed;
    }
    const event = await this.events.findById(actor.tenantId, id);
    throw event ? WebhookErrors.state(event.status) : CommonErrors.notFound('event');
  }
}
