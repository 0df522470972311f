import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { ChatAliasesRepository } from './chats/chat-aliases.repository';
import { conditions, conditionsOf } from './message-conditions';
import { LOOKED_THROUGH, PORTIONS, type Walk, walkOf } from './message-walk';
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
  /** Words that its text holds, each somewhere, in whatever case. */
  q?: string;
}

/** What was found of a list. */
export interface FoundMessages {
  /** Newest first, one more than asked for where there are more. */
  rows: MessageRow[];
  /** The message up to which was looked, where that was not all and not enough was found; else null. */
  end: string | null;
}

const COLUMNS = `id, session_id, chat, direction, type, status, body, content, metadata, created_by, campaign_id, author, source, wa_id,
  attempts, error_code, error, retryable, created_at, scheduled_at, expires_at,
  sent_at, delivered_at, read_at, edited_at, revoked_at`;

/** A walk, and the ids of the chat that it leads through. */
type Looked = Walk & { chats: string[] };

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

  /** Newest first. Where the filter has to be looked for message by message, only so many are looked at. */
  async list(tenantId: string, filter: MessageFilter, request: PageRequest): Promise<FoundMessages> {
    const walk = walkOf(filter);
    const chats = await this.chatsOf(tenantId, filter);
    if (Object.keys(walk.rest).length > 0) return this.look(tenantId, { ...walk, chats }, request);
    const { limit, cursor, offset } = request;
    const { from, where, params } = conditions(tenantId, walk.way, chats);
    const unfiltered = params.length === 1;
    if (cursor) where.push(`id < $${params.push(cursor)}::uuid`);
    const paging = `order by id desc limit $${params.push(limit + 1)} offset $${params.push(offset ?? 0)}`;
    const text = `select ${COLUMNS} from ${from} where ${where.join(' and ')} ${paging}`;
    const rows = unfiltered
      ? await this.db.query<MessageRow>(tenantId, text, params)
      : await this.db.queryOnce<MessageRow>(tenantId, text, params);
    return { rows, end: null };
  }

  /** How many there are, counted no further than the cap; `all` is false where there were more to look at than are looked at. */
  async count(tenantId: string, filter: MessageFilter, cap: number): Promise<{ count: number; all: boolean }> {
    const { way, rest } = walkOf(filter);
    const narrowed = Object.keys(rest).length > 0;
    const { from, where, params } = conditions(tenantId, way, await this.chatsOf(tenantId, filter));
    const hit = narrowed ? conditionsOf(rest, params).join(' and ') : 'true';
    const most = narrowed ? LOOKED_THROUGH : cap;
    const rows = `select ${hit} as hit from ${from} where ${where.join(' and ')} order by id desc limit $${params.push(most)}`;
    const [row] = await this.db.queryOnce<{ count: number; seen: number }>(
      tenantId,
      `select (count(*) filter (where hit))::int as count, count(*)::int as seen from (${rows}) m`,
      params,
    );
    return { count: Math.min(row?.count ?? 0, cap), all: !narrowed || (row?.seen ?? 0) < most };
  }

  private async look(
    tenantId: string,
    walk: Looked,
    { limit, cursor, offset = 0 }: PageRequest,
  ): Promise<FoundMessages> {
    const wanted = offset + limit + 1;
    const ids: string[] = [];
    let end: string | null = cursor ?? null;
    for (const portion of PORTIONS) {
      const seen = await this.portion(tenantId, walk, { before: end, portion, wanted: wanted - ids.length });
      ids.push(...seen.hits);
      end = seen.count < portion ? null : seen.last;
      if (end === null || ids.length >= wanted) break;
    }
    const page = ids.slice(offset);
    const rows =
      page.length === 0
        ? []
        : await this.db.query<MessageRow>(
            tenantId,
            `select ${COLUMNS} from messages where tenant_id = $1 and id = any ($2::uuid[]) order by id desc`,
            [tenantId, page],
          );
    return { rows, end: ids.length >= wanted ? null : end };
  }

  /** The next so many in the order of the list: which of them fit, and where they end. */
  private async portion(
    tenantId: string,
    { way, rest, chats }: Looked,
    { before, portion, wanted }: { before: string | null; portion: number; wanted: number },
  ): Promise<{ count: number; last: string | null; hits: string[] }> {
    const { from, where, params } = conditions(tenantId, way, chats);
    const hit = conditionsOf(rest, params).join(' and ');
    if (before !== null) where.push(`id < $${params.push(before)}::uuid`);
    const [seen] = await this.db.queryOnce<{ count: number; last: string | null; hits: string[] }>(
      tenantId,
      `with seen as materialized (
          select id, ${hit} as hit from ${from} where ${where.join(' and ')} order by id desc limit $${params.push(portion)})
        select (select count(*) from seen)::int as count, (select id from seen order by id limit 1) as last,
          array(select id from seen where hit order by id desc limit $${params.push(wanted)}) as hits`,
      params,
    );
    return seen ?? { count: 0, last: null, hits: [] };
  }

  /** The ids of the chat that the list is narrowed to; none where it is not. */
  private async chatsOf(tenantId: string, { chat, sessionId }: MessageFilter): Promise<string[]> {
    return chat === undefined ? [] : this.chatIds(tenantId, chat, sessionId ?? null);
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
