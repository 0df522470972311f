import { Injectable } from '@nestjs/common';
import { idCursor, idPlaceOf } from '../../common/id-cursor';
import { MAX_LIMIT, type PageRequest } from '../../common/paging';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { ChatAliasesRepository } from './chats/chat-aliases.repository';
import { conditionsOf, rowsOf, sourceOf } from './message-conditions';
import type { MessageStatus } from './message-status';
import { type MessageFilter, PORTIONS, type Walk, walkOf } from './message-walk';

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

/** What was found of a list. */
export interface FoundMessages {
  /** Newest first, one more than asked for where there are more. */
  rows: MessageRow[];
  /** The cursor up to which was looked, where that was not all and not enough was found; else null. */
  end: string | null;
}

const COLUMNS = `id, session_id, chat, direction, type, status, body, content, metadata, created_by, campaign_id, author, source, wa_id,
  attempts, error_code, error, retryable, created_at, scheduled_at, expires_at,
  sent_at, delivered_at, read_at, edited_at, revoked_at`;

interface Portion {
  seen: number;
  found: number;
  last: string | null;
  hits: string[];
}

/** Where a page begins, and how many rows it has: after that message (null: with the newest), and so many that fit. */
interface Place {
  limit: number;
  after: string | null;
  offset: number;
}

function placeOf({ limit, cursor, offset }: PageRequest): Place {
  const place = cursor === undefined ? null : idPlaceOf(cursor);
  return { limit, after: place?.id ?? null, offset: offset ?? place?.skip ?? 0 };
}

/** A walk, and every id of the chat that it leads through; none where it leads through no chat. */
type Looked = Walk & { chats: string[] };

/**
 * The newest so many, a page at most, by one plan for any number of them: of a bound that it does not know, the database expects a tenth
 * of all.
 */
const plannedOnce = (source: Parameters<typeof rowsOf>[1], limit: string): string =>
  `select * from (${rowsOf(COLUMNS, source, String(MAX_LIMIT + 1))}) m order by id desc limit ${limit}`;

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
    const walk = await this.walk(tenantId, filter);
    const place = placeOf(request);
    if (Object.keys(walk.rest).length > 0) return this.look(tenantId, walk, place);
    const { limit, after, offset } = place;
    const source = sourceOf(tenantId, walk.way, walk.chats);
    const { where, params } = source;
    const once = params.length === 1 && offset === 0 && limit <= MAX_LIMIT;
    if (after !== null) where.push(`id < $${params.push(after)}::uuid`);
    const wanted = `$${params.push(limit + 1)}::int`;
    if (once)
      return { rows: await this.db.query<MessageRow>(tenantId, plannedOnce(source, wanted), params), end: null };
    const skipped = `$${params.push(offset)}::int`;
    const text = rowsOf(COLUMNS, source, `${wanted} offset ${skipped}`, `${wanted} + ${skipped}`);
    return { rows: await this.db.queryOnce<MessageRow>(tenantId, text, params), end: null };
  }

  /** How many there are, counted no further than the cap; `all` is false where not all were looked at that might be. */
  async count(tenantId: string, filter: MessageFilter, cap: number): Promise<{ count: number; all: boolean }> {
    const walk = await this.walk(tenantId, filter);
    if (Object.keys(walk.rest).length > 0) return this.countOnWay(tenantId, walk, cap);
    const source = sourceOf(tenantId, walk.way, walk.chats);
    const rows = rowsOf('id', source, `$${source.params.push(cap)}::int`);
    const [row] = await this.db.queryOnce<{ count: number }>(
      tenantId,
      `select count(*)::int as count from (${rows}) m`,
      source.params,
    );
    return { count: row?.count ?? 0, all: true };
  }

  /** How the list is read. A chat leads wherever it is named. */
  private async walk(tenantId: string, filter: MessageFilter): Promise<Looked> {
    const { chat, sessionId = null } = filter;
    return { ...walkOf(filter), chats: chat === undefined ? [] : await this.chatIds(tenantId, chat, sessionId) };
  }

  private async countOnWay(tenantId: string, walk: Looked, cap: number): Promise<{ count: number; all: boolean }> {
    let count = 0;
    for await (const { found, end } of this.portions(tenantId, walk, { after: null, wanted: () => 0 })) {
      count += found;
      if (end === null || count >= cap) return { count: Math.min(count, cap), all: true };
    }
    return { count, all: false };
  }

  private async look(tenantId: string, walk: Looked, { limit, after, offset }: Place): Promise<FoundMessages> {
    const most = offset + limit + 1;
    const ids: string[] = [];
    let end: string | null = null;
    const looking = { after, wanted: () => most - ids.length };
    for await (const seen of this.portions(tenantId, walk, looking)) {
      ids.push(...seen.hits);
      end = ids.length >= most ? null : seen.end;
      if (end === null) break;
    }
    if (end !== null) end = idCursor({ id: end, skip: Math.max(0, offset - ids.length) });
    const page = ids.slice(offset);
    const text = `select ${COLUMNS} from messages where tenant_id = $1 and id = any ($2::uuid[]) order by id desc`;
    return { rows: page.length === 0 ? [] : await this.db.query<MessageRow>(tenantId, text, [tenantId, page]), end };
  }

  /** Portion by portion in the order of the list: how many fit, the first of them, and where it ends if there is more. */
  private async *portions(
    tenantId: string,
    { way, rest, chats }: Looked,
    { after, wanted }: { after: string | null; wanted: () => number },
  ): AsyncGenerator<{ found: number; hits: string[]; end: string | null }> {
    let before = after;
    for (const portion of PORTIONS) {
      const source = sourceOf(tenantId, way, chats);
      const { where, params } = source;
      const hit = conditionsOf(rest, params).join(' and ');
      if (before !== null) where.push(`id < $${params.push(before)}::uuid`);
      const seen = rowsOf(`id, ${hit} as hit`, source, `$${params.push(portion)}::int`);
      const text = `
        with seen as materialized (${seen})
        select (select count(*) from seen)::int as seen, (select count(*) from seen where hit)::int as found,
          (select id from seen order by id limit 1) as last,
          array(select id from seen where hit order by id desc limit $${params.push(wanted())}) as hits`;
      const [row] = await this.db.queryOnce<Portion>(tenantId, text, params);
      before = row && row.seen === portion ? row.last : null;
      yield { found: row?.found ?? 0, hits: row?.hits ?? [], end: before };
      if (before === null) return;
    }
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
