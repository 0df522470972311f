import { Injectable } from '@nestjs/common';
import { firstIdAt } from '../../common/ids';
import type { PageRequest } from '../../common/paging';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { MessageStatus } from './message-status';

/** A message as it is stored. */
export interface MessageRow {
  id: string;
  session_id: string;
  chat: string;
  direction: 'inbound' | 'outbound';
  type: string;
  status: MessageStatus;
  body: string | null;
  content: Record<string, unknown>;
  metadata: Record<string, unknown>;
  created_by: string | null;
  campaign_id: string | null;
  author: string | null;
  source: 'api' | 'app';
  wa_id: string | null;
  attempts: number;
  error_code: string | null;
  error: string | null;
  retryable: boolean | null;
  created_at: Date;
  scheduled_at: Date | null;
  expires_at: Date | null;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  /** When it was edited last and when it was revoked, by WhatsApp's time. */
  edited_at: Date | null;
  revoked_at: Date | null;
}

/** Somebody's reaction to a message. */
export interface ReactionRow {
  emoji: string;
  sender: string;
  at: Date;
}

/** One entry of a message's history. */
export interface MessageEventRow {
  at: Date;
  status: string;
  attempt: number | null;
  error_code: string | null;
  note: string | null;
}

/** What a list of messages is narrowed to; what is absent narrows nothing. */
export interface MessageFilter {
  sessionId?: string;
  chat?: string;
  direction?: 'inbound' | 'outbound';
  status?: MessageStatus;
  type?: string;
  from?: Date;
  to?: Date;
  createdBy?: string;
  campaignId?: string;
}

const COLUMNS = `id, session_id, chat, direction, type, status, body, content, metadata, created_by, campaign_id, author, source, wa_id,
  attempts, error_code, error, retryable, created_at, scheduled_at, expires_at,
  sent_at, delivered_at, read_at, edited_at, revoked_at`;

/** Each filter's condition; only those asked for stand in the text, so that each combination gets a plan of its own. */
const CONDITIONS: Record<keyof MessageFilter, (parameter: string) => string> = {
  sessionId: (p) => `session_id = ${p}::uuid`,
  chat: (p) => `chat = ${p}`,
  direction: (p) => `direction = ${p}`,
  status: (p) => `status = ${p}`,
  type: (p) => `type = ${p}`,
  from: (p) => `created_at >= ${p}`,
  to: (p) => `created_at < ${p}`,
  createdBy: (p) => `created_by = ${p}::uuid`,
  campaignId: (p) => `campaign_id = ${p}::uuid`,
};

/** Reads messages of one tenant. */
@Injectable()
export class MessagesRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Null when there is none. */
  async findById(tenantId: string, id: string): Promise<MessageRow | null> {
    const rows = await this.db.query<MessageRow>(
      tenantId,
      `select ${COLUMNS} from messages where tenant_id = $1 and id = $2`,
      [tenantId, id],
    );
    return rows[0] ?? null;
  }

  /** Newest first, one more than asked for. */
  list(tenantId: string, filter: MessageFilter, { limit, cursor, offset }: PageRequest): Promise<MessageRow[]> {
    const { where, params } = conditions(tenantId, filter);
    const unfiltered = where.length === 1;
    if (cursor) where.push(`id < $${params.push(cursor)}::uuid`);
    const paging = `order by id desc limit $${params.push(limit + 1)} offset $${params.push(offset ?? 0)}`;
    const text = `select ${COLUMNS} from messages where ${where.join(' and ')} ${paging}`;
    return unfiltered
      ? this.db.query<MessageRow>(tenantId, text, params)
      : this.db.queryOnce<MessageRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: MessageFilter, cap: number): Promise<number> {
    const { where, params } = conditions(tenantId, filter);
    const rows = `select from messages where ${where.join(' and ')} limit $${params.push(cap)}`;
    const [row] = await this.db.queryOnce<{ count: number }>(
      tenantId,
      `select count(*)::int as count from (${rows}) m`,
      params,
    );
    return row?.count ?? 0;
  }

  /** The message's history, oldest first. */
  events(tenantId: string, messageId: string): Promise<MessageEventRow[]> {
    return this.db.query<MessageEventRow>(
      tenantId,
      `select at, status, attempt, error_code, note from message_events where tenant_id = $1 and message_id = $2
        order by id limit 1000`,
      [tenantId, messageId],
    );
  }

  /** The reactions that stand, oldest first; a group has no more members. */
  reactions(tenantId: string, messageId: string): Promise<ReactionRow[]> {
    return this.db.query<ReactionRow>(
      tenantId,
      `select emoji, sender, at from message_reactions where tenant_id = $1 and message_id = $2 and emoji <> ''
        order by at, sender limit 1024`,
      [tenantId, messageId],
    );
  }
}

/** Ids grow with the clock of the process that made them, times are the database's: so far apart they may be. */
const CLOCKS_APART_MS = 5 * 60_000;

function conditions(tenantId: string, filter: MessageFilter): { where: string[]; params: unknown[] } {
  const params: unknown[] = [tenantId];
  const where = ['tenant_id = $1'];
  for (const name of Object.keys(CONDITIONS) as (keyof MessageFilter)[]) {
    const value = filter[name];
    if (value !== undefined) where.push(CONDITIONS[name](`$${params.push(value)}`));
  }
  // The list is read in the order of ids: bounds on them keep a span of time from reading all that is newer.
  const { from, to } = filter;
  if (from) where.push(`id >= $${params.push(firstIdAt(from.getTime() - CLOCKS_APART_MS))}::uuid`);
  if (to) where.push(`id < $${params.push(firstIdAt(to.getTime() + CLOCKS_APART_MS))}::uuid`);
  return { where, params };
}
