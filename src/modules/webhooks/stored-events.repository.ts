import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { TenantDatabase } from '../../platform/database/tenant-database';

export const EVENT_STATUSES = ['failed', 'pending', 'applied', 'ignored'] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/** The statuses from which an event can be applied again. */
export const REPLAYED: readonly EventStatus[] = ['failed', 'ignored'];

/** A stored event without its body. */
export interface StoredEventRow {
  id: string;
  session_id: string;
  event: string;
  event_id: string;
  status: EventStatus;
  attempts: number;
  note: string | null;
  received_at: Date;
  applied_at: Date | null;
  next_at: Date;
  seen_at: Date | null;
}

/** What a list of events is narrowed to; what is absent narrows nothing. */
export interface StoredEventFilter {
  status: EventStatus;
  sessionId?: string;
  event?: string;
}

const COLUMNS = 'id, session_id, event, event_id, status, attempts, note, received_at, applied_at, next_at, seen_at';

// The index begins with the status: an id is looked for under each of them.
const ANY_STATUS = `status in ('${EVENT_STATUSES.join(`', '`)}')`;

const SEE = `
  update webhook_events set seen_at = clock_timestamp()
  where tenant_id = $1 and status = 'failed' and id = $2 and seen_at is null`;

// It keeps its place in the order of its session, and the time at which it came.
const REPLAY = audited(
  `update webhook_events set status = 'pending', attempts = 0, next_at = clock_timestamp(), note = null, applied_at = null,
    seen_at = null where tenant_id = $1 and status = any ($3) and id = $2 returning ${COLUMNS}`,
  3,
);

/** Reads stored events of one tenant, and has them applied again. */
@Injectable()
export class StoredEventsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** With its body; null when there is none. */
  async findById(tenantId: string, id: string): Promise<(StoredEventRow & { body: string }) | null> {
    const [event] = await this.db.query<StoredEventRow & { body: string }>(
      tenantId,
      `select ${COLUMNS}, body from webhook_events where tenant_id = $1 and ${ANY_STATUS} and id = $2`,
      [tenantId, id],
    );
    return event ?? null;
  }

  /** Newest first, one more than asked for. */
  list(tenantId: string, filter: StoredEventFilter, { limit, cursor, offset }: PageRequest): Promise<StoredEventRow[]> {
    const { where, params } = conditions(tenantId, filter);
    if (cursor) where.push(`id < $${params.push(cursor)}::uuid`);
    const paging = `order by id desc limit $${params.push(limit + 1)} offset $${params.push(offset ?? 0)}`;
    const text = `select ${COLUMNS} from webhook_events where ${where.join(' and ')} ${paging}`;
    return this.db.queryOnce<StoredEventRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: StoredEventFilter, cap: number): Promise<number> {
    const { where, params } = conditions(tenantId, filter);
    const rows = `select from webhook_events where ${where.join(' and ')} limit $${params.push(cap)}`;
    const text = `select count(*)::int as count from (${rows}) e`;
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, params);
    return row?.count ?? 0;
  }

  /** Notes that somebody has looked at an event that failed; from then on it need not be kept for long. */
  async see(tenantId: string, id: string): Promise<void> {
    await this.db.query(tenantId, SEE, [tenantId, id]);
  }

  /** Makes it due now, with the record of it; null when there is none in one of the statuses from which it may. */
  async replay(tenantId: string, id: string, record: AuditRow): Promise<StoredEventRow | null> {
    const [event] = await this.db.query<StoredEventRow>(tenantId, REPLAY, [tenantId, id, REPLAYED, ...record]);
    return event ?? null;
  }
}

function conditions(
  tenantId: string,
  { status, sessionId, event }: StoredEventFilter,
): { where: string[]; params: unknown[] } {
  const params: unknown[] = [tenantId, status];
  const where = ['tenant_id = $1', 'status = $2'];
  if (sessionId !== undefined) where.push(`session_id = $${params.push(sessionId)}::uuid`);
  if (event !== undefined) where.push(`event = $${params.push(event)}`);
  return { where, params };
}
