import { Injectable } from '@nestjs/common';
import { HELD } from '../../platform/database/media-statements';
import { firstContactNow } from '../../platform/database/message-statements';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { MessageStatus } from './message-status';

// Lane before message, as everybody locks them; a lane whose session is deleted sends nothing any more.
const LANE = `
  lane as (
    select l.tenant_id, l.session_id, l.firsts_closed_until from lanes l
    where l.tenant_id = $1 and l.session_id = (select session_id from messages where tenant_id = $1 and id = $2)
      and l.state <> 'closed' for no key update)`;

const WAKE = `
  woken as (
    update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
    from moved where l.tenant_id = moved.tenant_id and l.session_id = moved.session_id)
  select id from moved`;

// A message that was held back for a retry frees its chat.
const CANCEL = `
  with ${LANE},
  moved as (
    update messages m set status = 'cancelled', next_attempt_at = null
    from lane where m.tenant_id = $1 and m.id = $2 and m.direction = 'outbound' and m.status in ('scheduled', 'queued')
    returning m.tenant_id, m.session_id, m.id, m.attempts),
  noted as (
    insert into message_events (tenant_id, message_id, status, attempt, note)
    select tenant_id, id, 'cancelled', nullif(attempts, 0), 'by hand' from moved),
  ${WAKE}`;

// It keeps its reserved id, so that WhatsApp takes the second for the first if that has left after all; but where WhatsApp
// itself has refused it, it needs another. A message keeps its place in the order of its chat. One without its file waits for
// that, which is fetched anew: who fetches it now, if anybody, comes too late.
// A campaign that was finished goes on for it; one that was cancelled does not, and it stays as it is.
// Where its chat was an alias all the while, it goes where that leads.
const RETRY = `
  with ${LANE},
  place as materialized (
    select lane.tenant_id, lane.session_id, canonical_chat(lane.tenant_id, lane.session_id, m.chat) as chat
    from lane join messages m on m.tenant_id = $1 and m.id = $2),
  lacking as (
    select message_id from message_media where tenant_id = $1 and message_id = $2 and state <> 'stored' and exists (select from lane)
    for no key update),
  campaign as (
    update campaigns c set status = case when c.status = 'finished' then 'running' else c.status end,
      finished_at = case when c.status = 'finished' then null else c.finished_at end
    from messages m where m.tenant_id = $1 and m.id = $2 and m.status = any ($3)
      and c.tenant_id = m.tenant_id and c.id = m.campaign_id
    returning c.tenant_id, c.id, c.status),
  sessions as (
    update campaign_sessions s set running = true from campaign c
    where c.status = 'running' and s.tenant_id = c.tenant_id and s.campaign_id = c.id),
  moved as (
    update messages m set status = 'queued', burned = 0, next_attempt_at = case when exists (select from lacking) then ${HELD} end,
      settle_at = null, error_code = null, error = null, retryable = null, sent_at = null, ack_due_at = null,
      chat = place.chat, first_contact = ${firstContactNow('place', 'lane.firsts_closed_until')},
      expires_at = case when m.expires_at > clock_timestamp() then m.expires_at end,
      wa_id = case when m.wa_id_reserved and m.error_code is distinct from 'ACK_ERROR' then m.wa_id end,
      wa_id_reserved = m.wa_id_reserved and m.error_code is distinct from 'ACK_ERROR',
      content = case when exists (select from lacking)
        then m.content || jsonb_build_object('media', m.content->'media' || '{"state": "pending"}') else m.content end
    from lane join place using (tenant_id, session_id)
    where m.tenant_id = $1 and m.id = $2 and m.direction = 'outbound' and m.created_by is not null and m.status = any ($3)
      and not exists (select from campaign where status = 'cancelled')
      and m.revoked_at is null
    returning m.tenant_id, m.session_id, m.id, m.attempts),
  noted as (
    insert into message_events (tenant_id, message_id, status, attempt, note)
    select tenant_id, id, 'queued', nullif(attempts, 0), 'retried by hand' from moved),
  media as (
    update message_media mm set state = 'pending', due_at = clock_timestamp(), attempts = 0, storage_key = null, error = null
    from moved join lacking on lacking.message_id = moved.id where mm.tenant_id = moved.tenant_id and mm.message_id = moved.id),
  ${WAKE}`;

// WAHA may have it yet. What people have deleted has no source any more.
const FETCH_AGAIN = `
  with ${LANE},
  message as materialized (
    select m.id from messages m join lane on lane.tenant_id = m.tenant_id and lane.session_id = m.session_id
    where m.tenant_id = $1 and m.id = $2 and m.revoked_at is null for no key update of m),
  media as (
    update message_media mm set state = 'pending', due_at = clock_timestamp(), attempts = 0, storage_key = null, error = null
    from message where mm.tenant_id = $1 and mm.message_id = message.id and mm.state = 'failed' and mm.source_url is not null
    returning mm.message_id)
  update messages m set content = m.content || jsonb_build_object('media',
    (m.content->'media') - '{error_code,error}'::text[] || '{"state": "pending"}')
  from media where m.tenant_id = $1 and m.id = media.message_id returning m.id`;

/** What people do to messages that are there. */
@Injectable()
export class MessageActionsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Whether it was still to be sent, and is now cancelled. */
  async cancel(tenantId: string, id: string): Promise<boolean> {
    return this.moved(tenantId, CANCEL, [tenantId, id]);
  }

  /**
   * Queues it again, with all its attempts before it.
   * @param from the statuses from which it may
   * @returns whether it was in one of them and not revoked, and its session is not deleted
   */
  async retry(tenantId: string, id: string, from: readonly MessageStatus[]): Promise<boolean> {
    return this.moved(tenantId, RETRY, [tenantId, id, from]);
  }

  /**
   * Has the file of a message that came in fetched again; false where it did not fail, or was deleted, or its session is, or the
   * message is revoked.
   */
  async fetchAgain(tenantId: string, id: string): Promise<boolean> {
    return this.moved(tenantId, FETCH_AGAIN, [tenantId, id]);
  }

  /** A batch of events may lock a message first and then the lane, whose state it tells: where they meet, this is done again. */
  private async moved(tenantId: string, text: string, params: unknown[]): Promise<boolean> {
    return (await rerun(() => this.db.query(tenantId, text, params))).length > 0;
  }
}
