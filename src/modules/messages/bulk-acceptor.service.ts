import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { dayIn } from '../../common/days';
import { HELD as UNTIL_STORED } from '../../platform/database/media-statements';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { chatAddress } from './chat-address';
import { type ContentDraft, contentOf, type SentType, type StoredContent } from './message-content';
import { OutgoingMedia } from './media/outgoing-media.service';
import { MessageMetrics } from './message.metrics';

export type { StoredContent };

/** What the messages of a campaign have in common. */
export interface BulkOrder {
  tenantId: string;
  campaignId: string;
  /** Whoever takes in its recipients now: of two, the later one. */
  intake: string;
  /** From which they leave, in turn; a chat that one of them knows is written to by that one. */
  sessionIds: readonly string[];
  type: SentType;
  content: Record<string, unknown>;
  metadata: Record<string, unknown>;
  createdBy: string;
  expiresAt: Date | null;
}

/** One message of a campaign. */
export interface BulkRow {
  chat: string;
  body: string | null;
}

/** What became of a batch: places in it, from 0. */
export interface BulkStored {
  stored: number;
  /** For which the tenant's day had no room. */
  overQuota: number[];
  /** Whose session was deleted meanwhile. */
  homeless: number[];
}

const HELD = `
  select l.session_id from lanes l where l.tenant_id = $1 and l.session_id = any ($2::uuid[]) and l.state <> 'closed'
  order by l.tenant_id, l.session_id for no key update`;

const HELD_FILE = `
  select from files where tenant_id = $1 and id = $2 for key share`;

// One file that is stored is shown by all of them; it is held so that it is not deleted meanwhile, and what is deleted later
// leaves its bytes to the messages. After the lanes, whichever the database would rather have read first.
// Nothing of it leaves before its campaign runs, so no lane is woken. The campaign's time to come in begins anew with each
// batch; one whose time was over is not added to. Whose chat it is, is asked anew once the lane is locked, as in the acceptance of
// single messages.
const STORE = `
  with alive as (
    update campaigns set accepting_until = clock_timestamp() + interval '60 seconds'
    where tenant_id = $1 and id = $3 and intake = $13 and status = 'accepting' and accepting_until > clock_timestamp()
    returning id),
  lane as (${HELD}),
  given as (
    select * from unnest($4::uuid[], $5::text[], $6::text[], $7::uuid[]) with ordinality
      as g(id, chat, body, session_id, position)),
  placed as (
    select g.*, k.session_id is null as strange, lane.session_id as lane_id
    from given g left join lateral (
      select c.session_id from lane
      left join chat_aliases a on a.tenant_id = $1 and a.session_id = lane.session_id and a.alias = g.chat
      join chats c on c.tenant_id = $1 and c.session_id = lane.session_id and c.chat = coalesce(a.chat, g.chat)
      order by c.last_inbound_at desc nulls last, c.known_at limit 1) k on true
    left join lane on lane.session_id = coalesce(k.session_id, g.session_id)),
  file as (select $9::jsonb->'media' ? 'file_id' as sent),
  picked as (
    select f.* from (select count(*) as lanes from lane) held cross join lateral (
      select f.id, f.storage_key, f.mime_type, f.size_bytes, f.sha256 from files f
      where f.tenant_id = $1 and f.id = ($9::jsonb->'media'->>'file_id')::uuid and held.lanes >= 0
      offset 0 for key share of f) f),
  stored as (
    insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, content, metadata, created_by,
      expires_at, urgency, first_contact, campaign_id, next_attempt_at)
    select $1, p.id, p.lane_id, canonical_chat($1, p.lane_id, p.chat), 'outbound', $8, 'queued', p.body, $9::jsonb, $10::jsonb, $11,
      $12, 2, p.strange and p.chat not like '%@g.us', $3,
      case when $9::jsonb ? 'media' and not file.sent then ${UNTIL_STORED} end
    from placed p cross join file
    where p.lane_id is not null and exists (select from alive) and (file.sent is not true or exists (select from picked))
    order by p.position on conflict (tenant_id, id) do nothing returning id, next_attempt_at),
  media as (
    insert into message_media (tenant_id, message_id, due_at)
    select $1, id, clock_timestamp() from stored where next_attempt_at is not null),
  shown as (
    insert into message_media (tenant_id, message_id, state, storage_key, mime_type, filename, size_bytes, sha256, file_id, stored_at)
    select $1, s.id, 'stored', p.storage_key, p.mime_type, $9::jsonb->'media'->>'filename', p.size_bytes, p.sha256, p.id,
      clock_timestamp()
    from stored s cross join picked p)
  select (select count(*) from stored)::int as stored, exists (select from alive) as alive,
    coalesce((select sent from file), false) and not exists (select from picked) as lost,
    array(select position::int - 1 from placed where lane_id is null) as homeless`;

const THERE = `select id from messages where tenant_id = $1 and id = any ($2::uuid[])`;

// Grants as many as are left of the day, as the acceptance of single messages does.
const GRANT = `
  insert into tenant_usage as u (tenant_id, day, messages, granted) values ($1, $2, least($3::bigint, $4), least($3, $4))
  on conflict (tenant_id, day) do update set messages = u.messages + least($3, greatest($4 - u.messages, 0)),
    granted = least($3, greatest($4 - u.messages, 0))
  returning granted::int as granted`;

const GIVE_BACK = `update tenant_usage set messages = messages - $3 where tenant_id = $1 and day = $2`;

const STRANGERS = `
  select count(*)::int as count from unnest($3::text[]) g(chat) where g.chat not like '%@g.us' and not exists (
    select from unnest($2::uuid[]) s(id)
    left join chat_aliases a on a.tenant_id = $1 and a.session_id = s.id and a.alias = g.chat
    join chats c on c.tenant_id = $1 and c.session_id = s.id and c.chat = coalesce(a.chat, g.chat))`;

/** Stores the messages of campaigns, many at a time. */
@Injectable()
export class BulkAcceptor {
  constructor(
    private readonly db: TenantDatabase,
    private readonly tenants: TenantDirectory,
    private readonly metrics: MessageMetrics,
    private readonly media: OutgoingMedia,
  ) {}

  /** What a message says, as for one that is sent by itself. @throws VALIDATION_FAILED */
  contentOf(draft: ContentDraft, type: SentType | undefined): StoredContent {
    return contentOf(draft, type);
  }

  /**
   * The same with what is known of its file, where it has one: an address, from which it is fetched for each message, or a file
   * that all of them show.
   * @throws VALIDATION_FAILED, PLAN_LIMIT_REACHED as for one message; NOT_FOUND for a file that is not there, or not the caller's
   */
  async withMedia(actor: Actor, said: StoredContent): Promise<StoredContent> {
    const media = await this.media.of(actor, said);
    const full = await this.media.fullness(actor.tenantId, media);
    if (full) throw full;
    return media ? { ...said, content: { ...said.content, media } } : said;
  }

  /** The chat of a recipient as a person writes it; null when it is none. */
  chatOf(to: string): string | null {
    return chatAddress(to);
  }

  /** How many of the chats none of the sessions knows. */
  async strangers(tenantId: string, sessionIds: readonly string[], chats: string[]): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(tenantId, STRANGERS, [tenantId, sessionIds, chats]);
    return row?.count ?? 0;
  }

  /**
   * Stores the messages, each once: the id of a message is made of its campaign and its chat, so that neither a chat that is
   * named twice nor a batch that comes twice makes another.
   * @param turn of the first of them among the sessions
   * @returns null when the campaign takes in nothing any more
   * @throws NOT_FOUND when the file that they send has been deleted meanwhile: then none of them is stored
   */
  async store(order: BulkOrder, rows: BulkRow[], turn: number): Promise<BulkStored | null> {
    const { messages_per_day: limit } = await this.tenants.limitsOf(order.tenantId);
    const outcome = await rerun(() =>
      limit === null ? this.storeAll(order, rows, turn) : this.storeWithin(limit, order, rows, turn),
    );
    if (outcome) this.metrics.happened('accepted', outcome.stored);
    return outcome;
  }

  private async storeAll(order: BulkOrder, rows: BulkRow[], turn: number): Promise<BulkStored | null> {
    const [row] = await this.db.query<StoreRow>(order.tenantId, STORE, paramsOf(order, rows, turn));
    assertFile(row);
    return row?.alive ? { stored: row.stored, overQuota: [], homeless: row.homeless } : null;
  }

  /**
   * Lanes, the file, the tenant's day, as everybody locks them. Only what would be stored asks for room: neither who is named
   * twice, nor who is there since an earlier run. What is not stored after all gives its place back.
   */
  private async storeWithin(
    limit: number,
    order: BulkOrder,
    rows: BulkRow[],
    turn: number,
  ): Promise<BulkStored | null> {
    const { tenantId } = order;
    const day = dayIn(await this.tenants.timeZoneOf(tenantId), new Date());
    return this.db.transaction(tenantId, async (tx) => {
      await hold(tx, order);
      const fresh = await freshOf(tx, order, rows);
      const [grant] = await tx.query<{ granted: number }>(GRANT, [tenantId, day, fresh.length, limit]);
      const granted = fresh.length === 0 ? 0 : (grant?.granted ?? 0);
      const turnedDown = new Set(fresh.slice(granted).map((nth) => rows[nth]?.chat));
      const places = rows.map((row, nth) => ({ ...row, nth }));
      const admitted = places.filter(({ chat }) => !turnedDown.has(chat));
      const overQuota = places.filter(({ chat }) => turnedDown.has(chat)).map(({ nth }) => nth);
      const row = await storeIn(tx, order, admitted, turn);
      const stored = row?.stored ?? 0;
      if (stored < granted) await tx.query(GIVE_BACK, [tenantId, day, granted - stored]);
      const homeless = (row?.homeless ?? []).map((nth) => admitted[nth]?.nth ?? nth);
      return row?.alive ? { stored, overQuota, homeless } : null;
    });
  }
}

/** The lanes, and then the file that is sent, if any. */
async function hold(tx: TenantTransaction, { tenantId, sessionIds, content }: BulkOrder): Promise<void> {
  await tx.query(HELD, [tenantId, sessionIds]);
  const { file_id: fileId } = (content.media ?? {}) as { file_id?: string };
  if (fileId !== undefined) await tx.query(HELD_FILE, [tenantId, fileId]);
}

/** Places of those whose message is not there yet; of who is named twice the first. */
async function freshOf(tx: TenantTransaction, { tenantId, campaignId }: BulkOrder, rows: BulkRow[]): Promise<number[]> {
  const ids = rows.map(({ chat }) => idOf(campaignId, chat));
  const known = new Set((await tx.query<{ id: string }>(THERE, [tenantId, ids])).map(({ id }) => id));
  return ids.flatMap((id, nth) => {
    if (known.has(id)) return [];
    known.add(id);
    return nth;
  });
}

interface StoreRow {
  stored: number;
  alive: boolean;
  /** Whether they send a file that is not there any more. */
  lost: boolean;
  homeless: number[];
}

async function storeIn(
  tx: TenantTransaction,
  order: BulkOrder,
  rows: BulkRow[],
  turn: number,
): Promise<StoreRow | undefined> {
  const [row] = await tx.query<StoreRow>(STORE, paramsOf(order, rows, turn));
  assertFile(row);
  return row;
}

function assertFile(row: StoreRow | undefined): void {
  if (row?.lost) throw CommonErrors.notFound('file');
}

const paramsOf = (order: BulkOrder, rows: BulkRow[], turn: number): unknown[] => [
  order.tenantId,
  order.sessionIds,
  order.campaignId,
  rows.map(({ chat }) => idOf(order.campaignId, chat)),
  rows.map(({ chat }) => chat),
  rows.map(({ body }) => body),
  rows.map((_row, nth) => order.sessionIds[(turn + nth) % order.sessionIds.length]),
  order.type,
  JSON.stringify(order.content),
  JSON.stringify(order.metadata),
  order.createdBy,
  order.expiresAt,
  order.intake,
];

/** The time of the campaign's own id, and of the rest 74 bits of a hash: a UUIDv7 like every id. */
function idOf(campaignId: string, chat: string): string {
  const hash = createHash('sha256').update(campaignId).update(chat).digest('hex');
  const variant = ((parseInt(hash.slice(3, 4), 16) & 3) | 8).toString(16);
  return `${campaignId.slice(0, 13)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}
