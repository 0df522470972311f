import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import { ACK_DUE } from '../../platform/database/message-statements';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { type SessionKey, SessionStates } from '../waha/session-states.service';
import type { WahaMessage } from '../waha/waha.events';
import { aliasOf, type ChatAlias, personOf } from './chats/alias-of';
import { ChatAliases } from './chats/chat-aliases.service';
import { BIND, bindParams } from './echo-binding';
import type { MessageMedia } from './message-content';
import { MessageMetrics } from './message.metrics';
import { type MessageStatus, sourcesOf } from './message-status';

/** What an event came to. */
export interface Applied {
  /** `later` when the message that it belongs to is not known yet. */
  result: 'applied' | 'ignored' | 'later';
  note?: string;
  /** The chat that the session knows by now, and in which somebody may have written. */
  heard?: string;
  /** Whether a message has ended that may have held up others. */
  frees?: boolean;
  /** Whether it told that its session has stopped. */
  stopped?: boolean;
  /** Another id of a chat, as it shows. */
  alias?: ChatAlias;
}

const DONE: Applied = { result: 'applied' };
const NOTHING_NEW: Applied = { result: 'applied', note: 'nothing new' };

/** The status that WhatsApp reports of one of our messages. */
interface Report {
  waId: string;
  /** What WhatsApp calls its chat; null where it did not say. */
  chat: string | null;
  status: 'sent' | 'delivered' | 'read' | 'played' | 'failed';
  at: Date;
  /** Whether WhatsApp itself confirms it; an echo alone only shows that WAHA has tried. */
  acked: boolean;
}

// WhatsApp's own refusal stands against an echo or first ack that comes late; a delivery disproves it.
// WhatsApp's times count whole seconds: what it reports of an attempt is not earlier than the attempt.
// A message that leaves `unknown` or `queued` this way frees its chat. `other`: its chat, where that is told by an id of which it is
// not known that it is the same.
const ADVANCE = `
  with old as (
    select id, chat, status, attempts, error_code, ack_due_at,
      status = any($6) and not ($4 = 'sent' and (error_code is not distinct from 'ACK_ERROR'
        or (status = 'stalled' and not $7::boolean))) as moves from messages
    where tenant_id = $1 and session_id = $2 and wa_id = $3 and direction = 'outbound' for no key update),
  moved as (
    update messages m set status = $4, settle_at = null, next_attempt_at = null,
      burned = m.burned + case when old.status = 'sending' then 1 else 0 end,
      sent_at = case when $4 = 'failed' then m.sent_at else coalesce(m.sent_at, greatest($5, m.attempted_at)) end,
      delivered_at = case when $4 in ('delivered', 'read', 'played')
        then coalesce(m.delivered_at, greatest($5, m.attempted_at)) else m.delivered_at end,
      read_at = case when $4 in ('read', 'played') then coalesce(m.read_at, greatest($5, m.attempted_at)) else m.read_at end,
      error_code = case when $4 = 'failed' then 'ACK_ERROR' end, error = null,
      retryable = case when $4 = 'failed' then true end,
      ack_due_at = case when $4 = 'sent' and not $7 then coalesce(m.ack_due_at, ${ACK_DUE}) end
    from old where m.tenant_id = $1 and m.id = old.id and old.moves
    returning m.id, m.attempted_at, old.status as was, old.attempts),
  acked as (
    update messages m set ack_due_at = null
    from old where m.tenant_id = $1 and m.id = old.id and $7 and not old.moves and old.ack_due_at is not null),
  noted as (
    insert into message_events (tenant_id, message_id, at, status, attempt, error_code)
    select $1, id, greatest($5, attempted_at), $4, attempts, case when $4 = 'failed' then 'ACK_ERROR' end from moved),
  freeing as (select from moved where was in ('unknown', 'queued'))
  select (select count(*) from old)::int as known, (select count(*) from moved)::int as moved,
    exists (select from freeing) as frees,
    (select chat from old where chat <> $8::text and canonical_chat($1, $2, chat) <> canonical_chat($1, $2, $8)) as other`;

// Its file is fetched by a worker, for WAHA keeps it some minutes only. With it the session knows the chat, and when it last heard of
// it. The message itself keeps the id under which it came.
const INSERT = `
  with stored as (
    insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, content, author, source, wa_id, sent_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (tenant_id, session_id, wa_id) where wa_id is not null do nothing
    returning tenant_id, session_id, canonical_chat(tenant_id, session_id, chat) as chat, id, case when direction = 'inbound' then sent_at end as heard_at),
  media as (
    insert into message_media (tenant_id, message_id, due_at, source_url)
    select tenant_id, id, clock_timestamp(), $14 from stored where $14::text is not null),
  heard as (
    insert into chats (tenant_id, session_id, chat, last_inbound_at)
    select tenant_id, session_id, chat, heard_at from stored
    on conflict (tenant_id, session_id, chat) do update
      set last_inbound_at = greatest(chats.last_inbound_at, excluded.last_inbound_at)
      where excluded.last_inbound_at is not null)
  select chat from stored`;

// Those chats are known by now: what waits for them is no first contact, and a reply where somebody wrote there within a day. The
// lane comes before its messages.
const RELEASE = `
  with lane as (
    select tenant_id, session_id, pace_at, next_at from lanes
    where tenant_id = $1 and session_id = $2 and state <> 'closed' for no key update),
  released as (
    update messages m set first_contact = false,
      urgency = case when m.urgency = 1 and c.last_inbound_at > clock_timestamp() - interval '24 hours' then 0 else m.urgency end
    from lane join chats c on c.tenant_id = lane.tenant_id and c.session_id = lane.session_id and c.chat = any ($3)
    where m.tenant_id = lane.tenant_id and m.session_id = lane.session_id and m.chat = c.chat
      and m.status = 'queued' and (m.urgency = 1 or m.first_contact) returning m.id)
  update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
  from lane where l.tenant_id = lane.tenant_id and l.session_id = lane.session_id
    and ($4::boolean or exists (select from released))`;

/** Applies to messages what WhatsApp tells of them, in the transaction of the event. Every step may be done twice. */
@Injectable()
export class MessageUpdates {
  constructor(
    private readonly sessions: SessionStates,
    private readonly metrics: MessageMetrics,
    private readonly db: TenantDatabase,
    private readonly aliases: ChatAliases,
    private readonly config: Config,
  ) {}

  /**
   * Learns who is who from messages that name both ids of their chat, before any of them is applied and locks what it tells of.
   * @returns what that lets go
   */
  async learn(tx: TenantTransaction, session: SessionKey, messages: readonly WahaMessage[]): Promise<Applied[]> {
    const told = messages.flatMap(({ chat, otherId, at }) => personOf(chat, otherId, at) ?? []);
    const learnt = await this.aliases.learn(tx, session, told);
    return learnt.map((chat) => ({ ...DONE, heard: chat }));
  }

  /**
   * A message that an event tells of: somebody wrote, or one of our own is echoed.
   * @param patient whether an echo of a message that we do not know may still wait for the answer of its send
   */
  async applyMessage(
    tx: TenantTransaction,
    session: SessionKey,
    message: WahaMessage,
    patient: boolean,
  ): Promise<Applied> {
    if (!message.fromMe) await this.sessions.heard(tx, session, 'inbound');
    return this.apply(tx, session, message, patient);
  }

  /** The same of one that we asked for: it does not show that the session hears. */
  applyFound(tx: TenantTransaction, session: SessionKey, message: WahaMessage, patient: boolean): Promise<Applied> {
    return this.apply(tx, session, message, patient);
  }

  private async apply(
    tx: TenantTransaction,
    session: SessionKey,
    message: WahaMessage,
    patient: boolean,
  ): Promise<Applied> {
    if (!message.fromMe) {
      const heard = await this.insert(tx, session, message, 'received');
      return heard === null ? NOTHING_NEW : { ...DONE, heard };
    }
    const status = message.status ?? 'sent';
    const report: Report = {
      waId: message.waId,
      chat: message.chat,
      status,
      at: message.at,
      acked: message.status !== null,
    };
    const first = await this.advance(tx, session, report);
    if (first) return first;
    const bound = await tx.query(BIND, bindParams(session, message, this.config));
    if (bound.length > 0) return (await this.advance(tx, session, report)) ?? DONE;
    if (message.source === 'api' && patient) return { result: 'later', note: 'its send has not been answered yet' };
    // From the phone: its chat is known from now on.
    const heard = await this.insert(tx, session, message, status);
    return heard === null ? NOTHING_NEW : { ...DONE, heard };
  }

  /** An ack of one of our messages. @param patient as above */
  async applyAck(
    tx: TenantTransaction,
    session: SessionKey,
    ack: Omit<Report, 'acked'>,
    patient: boolean,
  ): Promise<Applied> {
    const applied = await this.advance(tx, session, { ...ack, acked: true });
    // Also of a message that we do not know: the session has heard of WhatsApp.
    await this.sessions.heard(tx, session, 'ack');
    if (applied) return applied;
    return patient ? { result: 'later', note: 'no such message yet' } : { result: 'ignored', note: 'no such message' };
  }

  /** WhatsApp has the message, as something else shows than an ack. Null when it is none of ours. */
  confirm(
    tx: TenantTransaction,
    session: SessionKey,
    { waId, at }: Pick<Report, 'waId' | 'at'>,
  ): Promise<Applied | null> {
    return this.advance(tx, session, { waId, chat: null, status: 'sent', at, acked: true });
  }

  /**
   * Learns the other ids that the applied events show, and lets go what they held back. After their transaction and not within: that one has locked messages, and who
   * sends locks the lane before them. Where the process dies in between, they wait as what they were; a lane that sleeps without a
   * time is woken by another (`wakeForgotten`), and the next ack shows the other id again.
   */
  async release(session: SessionKey, applied: readonly Applied[]): Promise<void> {
    const { tenantId, sessionId } = session;
    const shown = applied.flatMap(({ alias }) => alias ?? []);
    const learnt = await this.aliases.learnAlone(session, shown);
    const heard = new Set([...applied.flatMap(({ heard: chat }) => chat ?? []), ...learnt]);
    const frees = applied.some((event) => event.frees === true);
    if (heard.size === 0 && !frees) return;
    await this.db.query(tenantId, RELEASE, [tenantId, sessionId, [...heard], frees]);
  }

  /** Null when there is no such message. */
  private async advance(
    tx: TenantTransaction,
    session: SessionKey,
    { waId, chat, status, at, acked }: Report,
  ): Promise<Applied | null> {
    const params = [session.tenantId, session.sessionId, waId, status, at, sourcesOf(status), acked, chat];
    const [row] = await tx.query<AdvanceRow>(ADVANCE, params);
    if (!row?.known) return null;
    if (row.moved) this.metrics.happened(status);
    const alias = (row.other && chat && aliasOf(row.other, chat, at)) || undefined;
    return row.moved ? { ...DONE, frees: row.frees, alias } : { ...NOTHING_NEW, alias };
  }

  /** Its chat, by the id under which that is known; null when it was there already. */
  private async insert(
    tx: TenantTransaction,
    session: SessionKey,
    message: WahaMessage,
    status: MessageStatus,
  ): Promise<string | null> {
    const [row] = await tx.query<{ chat: string }>(INSERT, [
      session.tenantId,
      newId(),
      session.sessionId,
      message.chat,
      message.fromMe ? 'outbound' : 'inbound',
      message.type,
      status,
      message.body,
      message.media ? { media: fileOf(message.media) } : {},
      message.author,
      message.source,
      message.waId,
      message.at,
      message.media?.url ?? null,
    ]);
    if (row) this.metrics.happened(status);
    return row?.chat ?? null;
  }
}

interface AdvanceRow {
  known: number;
  moved: number;
  frees: boolean;
  other: string | null;
}

/** What is said of a file that was received: where WAHA keeps it is nobody's concern, and where it keeps none there is none to be had. */
const fileOf = ({ url, mimetype, filename }: NonNullable<WahaMessage['media']>): Omit<MessageMedia, 'url'> => ({
  ...{ state: url === null ? 'failed' : 'pending', mime_type: mimetype, filename, size: null },
});
