import { Injectable } from '@nestjs/common';
import { firstIdAt } from '../../common/ids';
import type { PageRequest } from '../../common/paging';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { ChatAliasesRepository } from './chats/chat-aliases.repository';
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
  /** Any id of the person, or of the group. */
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
const CONDITIONS: Record<Exclude<keyof MessageFilter, 'chat'>, (parameter: string) => string> = {
  sessionId: (p) => `session_id = ${p}::uuid`,
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
  constructor(
    private readonly db: TenantDatabase,
    private readonly aliases: ChatAliasesRepository,
  ) {}

  /** Every id of the person whose chat it is in that session, or in all of them (null); the one that is given is among them. */
  chatIds(tenantId: string, chat: string, sessionId: string | null): Promise<string[]> {
    return this.aliases.idsOf(tenantId, chat, sessionId);
  }

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
  async list(
    tenantId: string,
    filter: MessageFilter,
    { limit, cursor, offset = 0 }: PageRequest,
  ): Promise<MessageRow[]> {
    const { where, chats, params } = await this.conditions(tenantId, filter);
    const unfiltered = params.length === 1;
    if (cursor) where.push(`id < $${params.push(cursor)}::uuid`);
    const [wanted, skipped] = [`$${params.push(limit + 1)}`, `$${params.push(offset)}`];
    const select = `select ${COLUMNS} from messages where ${where.join(' and ')}`;
    const text = `${eachOf(select, chats, `order by id desc limit ${wanted}::int + ${skipped}::int`)}
      order by id desc limit ${wanted} offset ${skipped}`;
    return unfiltered
      ? this.db.query<MessageRow>(tenantId, text, params)
      : this.db.queryOnce<MessageRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: MessageFilter, cap: number): Promise<number> {
    const { where, chats, params } = await this.conditions(tenantId, filter);
    const most = `limit $${params.push(cap)}`;
    const rows = `${eachOf(`select from messages where ${where.join(' and ')}`, chats, most)} ${most}`;
    const [row] = await this.db.queryOnce<{ count: number }>(
      tenantId,
      `select count(*)::int as count from (${rows}) m`,
      params,
    );
    return row?.count ?? 0;
  }

  private async conditions(tenantId: string, filter: MessageFilter): Promise<Conditions> {
    const { chat, sessionId = null } = filter;
    return conditionsOf(tenantId, filter, chat === undefined ? [] : await this.chatIds(tenantId, chat, sessionId));
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

/** What the rows of a list have in common, the conditions of its chats, and the values that the text refers to. */
interface Conditions {
  where: string[];
  chats: string[];
  params: unknown[];
}

function conditionsOf(tenantId: string, filter: MessageFilter, ids: string[]): Conditions {
  const params: unknown[] = [tenantId];
  const where = ['tenant_id = $1'];
  const chats = ids.map((id) => `chat = $${params.push(id)}`);
  for (const name of Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]) {
    const value = filter[name];
    if (value !== undefined) where.push(CONDITIONS[name](`$${params.push(value)}`));
  }
  // The list is read in the order of ids: bounds on them keep a span of time from reading all that is newer.
  const { from, to } = filter;
  if (from) where.push(`id >= $${params.push(firstIdAt(from.getTime() - CLOCKS_APART_MS))}::uuid`);
  if (to) where.push(`id < $${params.push(firstIdAt(to.getTime() + CLOCKS_APART_MS))}::uuid`);
  return { where, chats, params };
}

/** The rows of each chat by themselves, and no more of each than are wanted of all: so a long chat costs no more than a short one. */
function eachOf(select: string, chats: string[], bounds: string): string {
  if (chats.length <= 1) return [select, ...chats].join(' and ');
  return chats.map((chat) => `(${select} and ${chat} ${bounds})`).join(' union all ');
}
