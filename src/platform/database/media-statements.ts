import { AUDIT_COLUMNS, auditPlaceholders } from '../audit/audit-record';
import { withRoom } from './server-room';
import { BYTES_KEPT } from './storage-statements';

// Lane, file of the message, message, as everybody locks them. Only who has the last storage key may write.
const LANE = `
  lane as (
    select l.tenant_id, l.session_id from lanes l
    where l.tenant_id = $1 and l.session_id = (select session_id from messages where tenant_id = $1 and id = $2)
    for no key update)`;
const FENCE = `mm.tenant_id = $1 and mm.message_id = $2 and mm.storage_key = $3 and mm.state = 'pending'`;
const WAKE = `
  woken as (
    update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
    from moved where l.tenant_id = moved.tenant_id and l.session_id = moved.session_id and moved.goes_on
      and l.state <> 'closed')`;

/**
 * When a message is due that waits for its file: not in our time, until somebody says so. Its chat waits with it. No infinity:
 * PostgreSQL before 17 cannot subtract from that.
 */
export const HELD = `'9999-01-01T00:00:00Z'::timestamptz`;

/** Of the due files of each tenant so many are looked at in a round. */
const OF_EACH_TENANT = 100;

/** How the files of messages are fetched, for all tenants alike. */
export const MEDIA_STATEMENTS = {
  takeMedia: {
    reason: 'One loop fetches the files of all tenants, so many of each at once, in turn.',
    // A loose index scan over the tenants, so that nobody's many hide another's few. Received files are fetched from the WAHA of
    // their session: of each server ($7 to $9) as many as there is room for, of addresses $1. $2 to $4: how many of each tenant,
    // and there of each server or of addresses (null), are under way; $5 is the most of them.
    text: `
      with recursive server as materialized (${withRoom(7)}),
      busy as materialized (select * from unnest($2::uuid[], $3::uuid[], $4::int[]) as b (tenant_id, server_id, n)),
      tenant as (
        (select tenant_id from message_media where state = 'pending' and due_at is not null order by 1 limit 1)
        union all
        select n.tenant_id from tenant t, lateral (select tenant_id from message_media
          where state = 'pending' and due_at is not null and tenant_id > t.tenant_id order by 1 limit 1) n),
      due as (
        select w.tenant_id, w.message_id, w.due_at, w.origin, w.n,
          row_number() over (partition by w.tenant_id, w.origin order by w.due_at) as turn
        from tenant t cross join lateral (
          select mm.tenant_id, mm.message_id, mm.due_at, o.origin, coalesce(b.n, 0) as n
          from message_media mm join messages m on m.tenant_id = mm.tenant_id and m.id = mm.message_id
            join sessions s on s.tenant_id = m.tenant_id and s.id = m.session_id
            cross join lateral (select case when mm.source_url is not null then s.server_id end as origin) o
            left join busy b on b.tenant_id = mm.tenant_id and b.server_id is not distinct from o.origin
          where mm.tenant_id = t.tenant_id and mm.state = 'pending' and mm.due_at <= statement_timestamp()
            and coalesce(b.n, 0) < $5::int and case when o.origin is null then $1::int > 0 else o.origin in (select id from server) end
          order by mm.due_at limit ${OF_EACH_TENANT}) w),
      placed as (
        select due.*, row_number() over (partition by origin order by turn, due_at) as place from due where turn <= $5::int - n),
      taken as (
        select mm.tenant_id, mm.message_id, mm.storage_key as stale_key from message_media mm
        join placed p on p.tenant_id = mm.tenant_id and p.message_id = mm.message_id
        left join server v on v.id = p.origin
        where p.place <= case when p.origin is null then $1::int else v.room end
          and mm.state = 'pending' and mm.due_at <= statement_timestamp()
        for no key update of mm skip locked)
      update message_media mm set
        due_at = clock_timestamp() + $6::int * interval '1 ms',
        attempts = mm.attempts + 1,
        storage_key = mm.tenant_id || '/' || gen_random_uuid()
      from taken join messages m on m.tenant_id = taken.tenant_id and m.id = taken.message_id
        join sessions s on s.tenant_id = m.tenant_id and s.id = m.session_id
      where mm.tenant_id = taken.tenant_id and mm.message_id = taken.message_id
      returning mm.tenant_id, mm.message_id, mm.attempts, mm.storage_key, taken.stale_key, m.type,
        s.server_id, coalesce(mm.source_url, m.content->'media'->>'url') as url, m.content->'media'->>'filename' as filename,
        mm.source_url is not null as received, mm.source_url is not null or m.status in ('scheduled', 'queued') as wanted`,
  },
  mediaStored: {
    reason: 'A file is stored: its message, of whichever tenant, may go, and its lane wakes.',
    // Not of a tenant that is deleted: whoever emptied its storage must find nothing in it later. Nor beyond what it may store
    // ($8; holdStorage comes before, in the same transaction): that is told of as `full`. A file that was received is on record.
    text: `
      with room as (select $8::bigint is null or ${BYTES_KEPT} + $6::bigint <= $8::bigint as enough),
      ${LANE},
      media as (
        update message_media mm set state = 'stored', due_at = null, mime_type = $4, filename = $5, size_bytes = $6, sha256 = $7,
          error = null, stored_at = clock_timestamp(), file_id = case when mm.source_url is not null then mm.message_id end
        from lane, room where room.enough and ${FENCE}
          and exists (select from tenants t where t.id = $1 and t.deleted_at is null)
        returning mm.tenant_id, mm.message_id, mm.file_id, mm.storage_key),
      filed as (
        insert into files (tenant_id, id, name, size_bytes, mime_type, sha256, storage_key)
        select tenant_id, file_id, $5, $6, $4, $7, storage_key from media where file_id is not null returning id),
      recorded as (insert into audit_logs (${AUDIT_COLUMNS}) select ${auditPlaceholders(9)} where exists (select from filed)),
      moved as (
        update messages m set next_attempt_at = nullif(m.next_attempt_at, ${HELD}),
          content = m.content || jsonb_build_object('media', m.content->'media' || jsonb_build_object(
            'state', 'stored', 'mime_type', $4::text, 'filename', $5::text, 'size', $6::bigint))
        from media where m.tenant_id = media.tenant_id and m.id = media.message_id
        returning m.tenant_id, m.session_id, m.id, m.status = 'queued' as goes_on),
      ${WAKE}
      select exists (select from moved) as stored, not room.enough as full from room`,
  },
  mediaLater: {
    reason: 'A file could not be fetched now: it is tried again, whatever the tenant.',
    text: `update message_media mm set due_at = clock_timestamp() + $4::int * interval '1 ms', error = $5,
        attempts = mm.attempts - $6::int
      where ${FENCE} and mm.due_at is not null returning mm.message_id as id`,
  },
  mediaUnwanted: {
    reason:
      'Nobody waits any more for the file of a message, of whichever tenant, that has ended; a retry would ask anew.',
    text: `update message_media mm set due_at = null, attempts = 0
      where ${FENCE} and mm.source_url is null and not exists (select from messages m where m.tenant_id = $1 and m.id = $2
        and m.status in ('scheduled', 'queued')) returning mm.message_id as id`,
  },
  mediaFailed: {
    reason:
      'A file cannot be had: its message, of whichever tenant, has failed, and its chat goes on; one received stays.',
    text: `
      with ${LANE},
      media as (
        update message_media mm set state = 'failed', due_at = null, error = $5
        from lane where ${FENCE} returning mm.tenant_id, mm.message_id),
      told as (
        update messages m set content = m.content || jsonb_build_object('media', m.content->'media'
          || jsonb_build_object('state', 'failed', 'error_code', $4::text, 'error', $5::text))
        from media where m.tenant_id = media.tenant_id and m.id = media.message_id and m.status not in ('scheduled', 'queued')
        returning m.id),
      moved as (
        update messages m set status = 'failed', error_code = $4, error = $5, retryable = $6::boolean, next_attempt_at = null,
          content = m.content || jsonb_build_object('media', m.content->'media' || '{"state": "failed"}')
        from media where m.tenant_id = media.tenant_id and m.id = media.message_id and m.status in ('scheduled', 'queued')
        returning m.tenant_id, m.session_id, m.id, m.attempts, true as goes_on),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, error_code, note)
        select tenant_id, id, 'failed', nullif(attempts, 0), $4, $5 from moved),
      ${WAKE}
      select id from moved union all select id from told`,
  },
} as const;
