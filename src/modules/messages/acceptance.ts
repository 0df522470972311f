import { HELD } from '../../platform/database/media-statements';
import { firstContact } from '../../platform/database/message-statements';

/** Lanes are locked first and in one order, so that batches cannot deadlock; a closed lane (session deleted) takes nothing. */
const LANE = `
  lane as (
    select l.tenant_id, l.session_id, l.pace_at, l.firsts_closed_until from lanes l
    where (l.tenant_id, l.session_id) in (select tenant_id, session_id from given) and l.state <> 'closed'
    order by l.tenant_id, l.session_id for no key update)`;

// next_at is written even if the lane is busy: a worker that is about to let it go idle must not miss this message.
const WOKEN = `
  woken as (
    update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(lane.pace_at, now()))
    from lane where l.tenant_id = lane.tenant_id and l.session_id = lane.session_id)`;

const INSERT = `
    insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, content, metadata, created_by,
      scheduled_at, expires_at, urgency, first_contact, next_attempt_at)`;
/** How long somebody who wrote is replied to: what is sent to them meanwhile goes first. */
const REPLIES_FOR = `interval '24 hours'`;
// A group knows the session that is in it. The lane is `lane`.
const VALUES = (row: string): string =>
  `select ${row}.tenant_id, ${row}.id, ${row}.session_id, place.chat, 'outbound', ${row}.type,
      case when ${row}.scheduled_at > clock_timestamp() then 'scheduled' else 'queued' end, ${row}.body, ${row}.content,
      ${row}.metadata, ${row}.created_by, ${row}.scheduled_at, ${row}.expires_at,
      case when c.last_inbound_at > clock_timestamp() - ${REPLIES_FOR} then 0 else 1 end,
      ${firstContact('place', '(c.chat is not null)', 'lane.firsts_closed_until')},
      case when ${row}.content ? 'media' and not (${row}.content->'media' ? 'file_id') then ${HELD} end`;
// Of whose chat it is, is asked once its lane is locked, and newer than the statement: what was learnt while it waited for the
// lane has moved everything else of that chat.
const CHATS = (row: string): string => `
    cross join lateral (select lane.tenant_id, lane.session_id,
      canonical_chat(lane.tenant_id, lane.session_id, ${row}.chat) as chat offset 0) place
    left join chats c on c.tenant_id = place.tenant_id and c.session_id = place.session_id and c.chat = place.chat`;

// What has a file waits for it.
const MEDIA = `
  media as (
    insert into message_media (tenant_id, message_id, due_at)
    select tenant_id, id, created_at from accepted where next_attempt_at is not null)`;

/**
 * Files that are sent, held so that none is deleted meanwhile: what is deleted later leaves its bytes to the message. After the
 * lanes, whichever the database would rather have read first. Looked up one by one, so that no plan reads all files of everybody.
 * Batches without any do not pay for it.
 */
const PICKED = `
  picked as (
    select g.tenant_id, g.id as message_id, g.content->'media'->>'filename' as filename, f.*
    from (select count(*) as lanes from lane) held cross join given g cross join lateral (
      select f.id as file_id, f.storage_key, f.mime_type, f.size_bytes, f.sha256 from files f
      where f.tenant_id = g.tenant_id and f.id = (g.content->'media'->>'file_id')::uuid and held.lanes >= 0
      offset 0 for key share of f) f
    where g.content->'media' ? 'file_id'),`;
const SHOWN = `
  shown as (
    insert into message_media (tenant_id, message_id, state, storage_key, mime_type, filename, size_bytes, sha256, file_id, stored_at)
    select p.tenant_id, p.message_id, 'stored', p.storage_key, p.mime_type, p.filename, p.size_bytes, p.sha256, p.file_id,
      clock_timestamp()
    from picked p join accepted a on a.tenant_id = p.tenant_id and a.id = p.message_id),`;
/** Whether the file of the row, where it sends one, is there. */
const isThere = (row: string): string => `(not coalesce(${row}.content->'media' ? 'file_id', false) or exists (
      select from picked p where p.tenant_id = ${row}.tenant_id and p.message_id = ${row}.id))`;

/**
 * Takes messages, of which none has a daily limit, into the queue: one row comes back for each that is stored now.
 * @param files whether some of them send files that are stored
 */
const acceptance = (files: boolean): string => `
  with given as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::uuid[],
        $9::text[], $10::timestamptz[], $11::timestamptz[])
      with ordinality as g(tenant_id, id, session_id, chat, body, content, metadata, created_by, type, scheduled_at,
        expires_at, position)),
  ${LANE},${files ? PICKED : ''}
  accepted as (
    ${INSERT}
    ${VALUES('g')} from given g join lane on lane.tenant_id = g.tenant_id and lane.session_id = g.session_id ${CHATS('g')}
    ${files ? `where ${isThere('g')}` : ''} order by g.position on conflict (tenant_id, id) do nothing
    returning tenant_id, id, chat, created_at, status, next_attempt_at),
  ${MEDIA},${files ? SHOWN : ''}
  ${WOKEN}
  select id, chat, created_at, status, false as over from accepted`;

/**
 * The same where some have a limit: theirs go through the row of their tenant's day, which is locked (after the lanes, and in
 * one order too) and grants as many as are left of it, to the first that came. Only what would be stored asks: neither a
 * repeat of a message that is there, nor one for a session that is not. What was granted is written beside the count, for a
 * statement cannot see what a row that it changes held before. Those beyond come back as `over`.
 */
const acceptanceWithinLimits = (files: boolean): string => `
  with given as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::uuid[],
        $9::text[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::date[])
      with ordinality as g(tenant_id, id, session_id, chat, body, content, metadata, created_by, type, scheduled_at,
        expires_at, daily_limit, day, position)),
  ${LANE},${files ? PICKED : ''}
  fresh as (
    select distinct on (g.tenant_id, g.id) g.* from given g join lane using (tenant_id, session_id)
    left join lateral (
      select true as there from messages m where m.tenant_id = g.tenant_id and m.id = g.id offset 0) m on true
    where g.daily_limit is not null and m.there is null ${files ? `and ${isThere('g')}` : ''}
    order by g.tenant_id, g.id, g.position),
  asking as (
    select f.*, row_number() over (partition by f.tenant_id, f.day order by f.position) as nth from fresh f),
  bound as (
    select tenant_id, day, count(*) as asked, min(daily_limit) as daily_limit from asking group by tenant_id, day),
  used as (
    insert into tenant_usage as u (tenant_id, day, messages, granted)
    select tenant_id, day, least(asked, daily_limit), least(asked, daily_limit) from bound order by tenant_id, day
    on conflict (tenant_id, day) do update set (messages, granted) = (
      select u.messages + least(b.asked, greatest(b.daily_limit - u.messages, 0)),
        least(b.asked, greatest(b.daily_limit - u.messages, 0))
      from bound b where b.tenant_id = excluded.tenant_id and b.day = excluded.day)
    returning tenant_id, day, granted),
  admitted as (
    select g.tenant_id, g.id, g.session_id, g.chat, g.body, g.content, g.metadata, g.created_by, g.type,
      g.scheduled_at, g.expires_at, g.position
    from given g join lane using (tenant_id, session_id) where g.daily_limit is null
    union all
    select a.tenant_id, a.id, a.session_id, a.chat, a.body, a.content, a.metadata, a.created_by, a.type,
      a.scheduled_at, a.expires_at, a.position
    from asking a join used using (tenant_id, day) where a.nth <= used.granted),
  accepted as (
    ${INSERT}
    ${VALUES('g')} from admitted g join lane using (tenant_id, session_id) ${CHATS('g')}
    ${files ? `where ${isThere('g')}` : ''} order by g.position
    on conflict (tenant_id, id) do nothing
    returning tenant_id, id, chat, created_at, status, next_attempt_at),
  ${MEDIA},${files ? SHOWN : ''}
  ${WOKEN}
  select id, chat, created_at, status, false as over from accepted
  union all
  select a.id, null, null, null, true from asking a join used using (tenant_id, day) where a.nth > used.granted`;

/** The two, and the same where some of the messages send files that are stored. */
export const ACCEPT = acceptance(false);
export const ACCEPT_FILES = acceptance(true);
export const ACCEPT_WITHIN_LIMITS = acceptanceWithinLimits(false);
export const ACCEPT_FILES_WITHIN_LIMITS = acceptanceWithinLimits(true);
