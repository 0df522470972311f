import { withRoom } from './server-room';

/**
 * What a lane may send now, as a lateral row beside its lane `l` and its tenant `t`. Its day is that of the tenant's time zone.
 *
 * - `cap`: messages of this day; while the number warms up, a geometric ramp from its start to the whole cap.
 * - `replies`: whether there is room for one more. A tenth of the cap is kept for them, so that no campaign uses up the day.
 * - `others`: whether something else may leave; not in quiet hours, which are the session's own or else the tenant's.
 * - `firsts`: whether a first contact may; not while WhatsApp refuses them.
 * - `opens_at`: when more may leave than now; null where everything may.
 */
const ROOM = `
  cross join lateral (
    select coalesce(t.settings->>'time_zone', 'UTC') as zone,
      coalesce(l.quiet_from, (t.settings->'quiet_hours'->>'from')::time) as quiet_from,
      coalesce(l.quiet_to, (t.settings->'quiet_hours'->>'to')::time) as quiet_to) z
  cross join lateral (select clock_timestamp() at time zone z.zone as local) c
  cross join lateral (
    select c.local::date as today, coalesce(l.warmup_from, c.local::date) as warm_from,
      case when l.day = c.local::date then l.day_sent else 0 end as day_sent,
      case when l.day = c.local::date then l.day_firsts else 0 end as day_firsts,
      case when z.quiet_from < z.quiet_to then c.local::time >= z.quiet_from and c.local::time < z.quiet_to
        when z.quiet_from > z.quiet_to then c.local::time >= z.quiet_from or c.local::time < z.quiet_to
        else false end as quiet) d
  cross join lateral (
    select case when not l.warmup or d.today - d.warm_from >= l.warmup_days or l.warmup_start >= l.daily_cap then l.daily_cap
      else floor(l.warmup_start * power(l.daily_cap::float8 / l.warmup_start, (d.today - d.warm_from)::float8 / l.warmup_days))::int
      end as cap) w
  cross join lateral (
    select d.day_sent < w.cap as replies, not d.quiet and d.day_sent < w.cap - w.cap / 10 as others,
      d.day_firsts < l.first_contacts_per_day and coalesce(l.firsts_closed_until <= clock_timestamp(), true) as firsts) r
  cross join lateral (
    select least(
      case when d.day_sent >= w.cap - w.cap / 10 or d.day_firsts >= l.first_contacts_per_day
        then (d.today + 1)::timestamp at time zone z.zone end,
      case when d.quiet then (d.today + case when c.local::time < z.quiet_to then 0 else 1 end + z.quiet_to) at time zone z.zone end,
      case when l.firsts_closed_until > clock_timestamp() then l.firsts_closed_until end) as opens_at) o`;

/**
 * A message that may leave: neither waiting for its retry nor overdue, in no chat that an earlier one holds up. What waits for
 * its retry holds up what is as urgent: a campaign nobody who is written to otherwise.
 */
const free = (campaign: string | null): string => `
  q.tenant_id = lane.tenant_id and q.session_id = lane.session_id and q.status = 'queued'
    and q.campaign_id ${campaign === null ? 'is null' : `= ${campaign}`}
    and (q.next_attempt_at is null or q.next_attempt_at <= clock_timestamp())
    and (q.expires_at is null or q.expires_at > clock_timestamp())
    and q.chat <> all (array(select h.chat from messages h
      where h.tenant_id = lane.tenant_id and h.session_id = lane.session_id
        and (h.status = 'sending' or (h.status = 'unknown' and h.settle_at is not null)
          or (h.status = 'queued' and h.next_attempt_at is not null and h.next_attempt_at > clock_timestamp()
            and (h.campaign_id is null${campaign === null ? '' : ` or h.campaign_id = ${campaign}`})))))`;

/**
 * Nothing of a chat overtakes what waits there as a first contact, and came before it. Asked row by row, for one row is wanted, and
 * by the chat: "is not distinct" keeps it from the index of the queue, where all first contacts of the lane would be looked at.
 */
const IN_TURN = `not q.first_contact and coalesce((select false from messages f where f.tenant_id = q.tenant_id
    and f.session_id is not distinct from q.session_id and f.chat = q.chat and f.status = 'queued' and f.first_contact and f.seq < q.seq
    and f.urgency <= q.urgency and f.campaign_id is not distinct from q.campaign_id limit 1), true)`;

/**
 * By urgency and age, said as the index `messages_queue` has it, whole: only so its first entry is the answer, and a lane in
 * which 100,000 wait costs what one costs in which one does ("is null" does not fix a column's place in an order).
 */
const IN_ORDER = 'order by q.campaign_id, q.first_contact, q.urgency, q.seq';

const FIELDS =
  'q.id, q.chat, q.type, q.body, q.content, q.wa_id, q.burned, q.first_contact, q.urgency, q.seq, q.campaign_id';

const READY = `l.owner is null and l.state = 'open' and l.next_at is not null`;

/** So many of the oldest due lanes of a server are looked at, unless they are of too few tenants. */
const WINDOW = 500;

/** How due lanes come by their next message. Lanes of all tenants are claimed together: fairness is between them. */
export const CLAIM_STATEMENTS = {
  lockDueLanes: {
    reason: 'Workers take due lanes fairly over all tenants: first one of each tenant, then the second of each.',
    // Of each server as many as it has room for: those of a server that has none are not looked at. Where the oldest due lanes
    // of a server are of fewer tenants than lanes are wanted, there may be others behind them: then all that are due are looked
    // at, which is one walk along the index. What is asked again of a lane that is locked is said as a "case", which no index
    // answers: each is found by its key, and not by going through all that are due once more.
    text: `
      with server as materialized (${withRoom(2)}),
      oldest as materialized (
        select d.* from server v cross join lateral (
          select l.server_id, l.tenant_id, l.session_id, l.next_at from lanes l
          where l.server_id = v.id and ${READY} and l.next_at <= statement_timestamp()
          order by l.next_at limit ${WINDOW}) d),
      crowded as (
        select server_id from oldest group by server_id having count(*) = ${WINDOW} and count(distinct tenant_id) < $1::int),
      due as (
        select * from oldest o where not exists (select from crowded c where c.server_id = o.server_id)
        union all
        select l.server_id, l.tenant_id, l.session_id, l.next_at from crowded c
        join lanes l on l.server_id = c.server_id and ${READY} and l.next_at <= statement_timestamp()),
      ranked as (select due.*, row_number() over (partition by tenant_id order by next_at) as turn from due),
      placed as (select ranked.*, row_number() over (partition by server_id order by turn, next_at) as place
        from ranked where turn <= $1::int)
      select l.tenant_id, l.session_id
      from placed join server v on v.id = placed.server_id and placed.place <= v.room
      join lanes l on l.tenant_id = placed.tenant_id and l.session_id = placed.session_id
      where case when l.owner is null and l.state = 'open' then l.next_at <= clock_timestamp() else false end
      order by placed.turn, placed.next_at limit $1
      for no key update of l skip locked`,
  },
  lockEmptyLanes: {
    reason:
      'Due lanes in which nothing waits are put to rest, of all tenants: what is accepted meanwhile waits behind them.',
    // No lane that somebody may want to send from is held.
    text: `
      select l.tenant_id, l.session_id
      from (select d.* from waha_servers v cross join lateral (
          select l.tenant_id, l.session_id, l.next_at from lanes l
          where l.server_id = v.id and ${READY} and l.next_at <= statement_timestamp() order by l.next_at limit $1) d
        order by d.next_at limit $1) due
      join lanes l on l.tenant_id = due.tenant_id and l.session_id = due.session_id
      where case when l.owner is null and l.state = 'open' then l.next_at <= clock_timestamp() else false end
        and not exists (select from messages m where m.tenant_id = l.tenant_id and m.session_id = l.session_id
          and m.status = 'queued')
      order by l.tenant_id, l.session_id
      for no key update of l skip locked`,
  },
  claimHeads: {
    reason: 'Each lane gives its next message: by urgency, then age, never one whose chat has an earlier one open.',
    // Runs after lockDueLanes in the same transaction: a new snapshot, so that no message accepted meanwhile is overlooked. A
    // first contact counts once, here, and its chat is known from now on: whatever waits for it there waits no longer. At most
    // $5 messages are taken, of the first lanes; lanes in which nothing waits are due no longer, all of them.
    text: `
      with lane as (
        select due.nth, l.tenant_id, l.session_id, l.strikes, s.waha_name, s.server_id, d.today, d.day_sent, d.day_firsts, d.warm_from,
          r.replies, r.others, r.firsts, o.opens_at,
          least(l.burst, l.tokens + extract(epoch from clock_timestamp() - l.tokens_at) * l.per_minute / 60.0) as tokens
        from lanes l
        join unnest($1::uuid[], $2::uuid[]) with ordinality as due(tenant_id, session_id, nth)
          on l.tenant_id = due.tenant_id and l.session_id = due.session_id
        join sessions s on s.tenant_id = l.tenant_id and s.id = l.session_id
        join tenants t on t.id = l.tenant_id
        ${ROOM}),
      found as (
        select lane.*, m.id, m.chat, m.type, m.body, m.content, m.wa_id, m.burned, m.campaign_id, coalesce(m.first_contact, false) as first_contact,
          coalesce(m.first_contact, false) and not exists (select from chats k where k.tenant_id = lane.tenant_id
            and k.session_id = lane.session_id and k.chat = m.chat) as counts_first,
          case when m.id is null then least(
            (select min(r.next_attempt_at) from messages r where r.tenant_id = lane.tenant_id and r.session_id = lane.session_id
              and r.status = 'queued' and r.next_attempt_at > clock_timestamp()),
            (select min(c.next_at) from campaign_sessions c where c.tenant_id = lane.tenant_id and c.session_id = lane.session_id
              and c.running and c.next_at > clock_timestamp())) end as retry_at
        from lane left join lateral (
          (select ${FIELDS} from messages q where ${free(null)} and ${IN_TURN}
              and q.urgency <= case when lane.others then 32767 when lane.replies then 0 else -1 end
            ${IN_ORDER} limit 1)
          union all
          (select ${FIELDS} from messages q where lane.others and lane.firsts and ${free(null)} and q.first_contact
            ${IN_ORDER} limit 1)
          union all
          (select ${FIELDS} from campaign_sessions c cross join lateral (
              (select q.* from messages q where ${free('c.campaign_id')} and ${IN_TURN} ${IN_ORDER} limit 1)
              union all
              (select q.* from messages q where lane.firsts and ${free('c.campaign_id')} and q.first_contact
                ${IN_ORDER} limit 1)) q
            where lane.others and c.tenant_id = lane.tenant_id and c.session_id = lane.session_id and c.running
              and (c.next_at is null or c.next_at <= clock_timestamp())
            order by q.seq limit 1)
          order by urgency, seq limit 1) m on true),
      head as (
        select * from (select found.*, count(found.id) over (order by found.nth) as filled from found) f
        where f.id is null or f.filled <= $5),
      spaced as (
        update campaign_sessions c set next_at = clock_timestamp() + 60000.0 / c.per_minute * interval '1 ms' from head
        where c.tenant_id = head.tenant_id and c.session_id = head.session_id and c.campaign_id = head.campaign_id
          and c.per_minute is not null),
      known as (
        insert into chats (tenant_id, session_id, chat)
        select tenant_id, session_id, chat from head where first_contact order by tenant_id, session_id on conflict do nothing),
      released as (
        update messages m set first_contact = false from head
        where head.first_contact and m.tenant_id = head.tenant_id and m.session_id = head.session_id and m.chat = head.chat
          and m.status = 'queued' and m.first_contact),
      taken as (
        update lanes l set
          owner = case when head.id is null then null else $3::uuid end,
          lease_until = case when head.id is null then null else clock_timestamp() + $4::int * interval '1 ms' end,
          epoch = l.epoch + 1,
          next_at = case when head.id is null then least(head.retry_at, head.opens_at) else l.next_at end,
          tokens = case when head.id is null then head.tokens else head.tokens - 1 end,
          tokens_at = clock_timestamp(),
          day = head.today,
          day_sent = head.day_sent + case when head.id is null then 0 else 1 end,
          day_firsts = head.day_firsts + case when head.counts_first then 1 else 0 end,
          warmup_from = case when head.id is null then l.warmup_from else head.warm_from end
        from head where l.tenant_id = head.tenant_id and l.session_id = head.session_id
        returning l.tenant_id, l.session_id, l.epoch)
      select head.tenant_id, head.session_id, head.strikes, head.waha_name, head.server_id, head.id, head.chat, head.type, head.body,
        head.content, head.wa_id, head.burned, head.counts_first as is_new, taken.epoch
      from head join taken using (tenant_id, session_id) where head.id is not null`,
  },
  nextLaneDue: {
    reason: 'An idle worker sleeps until the first lane of any tenant is due, of a server that has room.',
    text: `select extract(epoch from d.next_at - clock_timestamp()) * 1000 as due_in_ms
      from (${withRoom(1)}) v
      cross join lateral (select l.next_at from lanes l where l.server_id = v.id and ${READY} order by l.next_at limit 1) d
      order by d.next_at limit 1`,
  },
  wakeForgotten: {
    reason:
      'A lane of whichever tenant that sleeps though something waits in it was left by a process that died: it wakes.',
    // What waits for its retry, or for the lane to open, has a time already.
    text: `
      with forgotten as (
        select l.tenant_id, l.session_id from lanes l
        where l.owner is null and l.state = 'open' and l.next_at is null
          and (exists (select from messages m where m.tenant_id = l.tenant_id and m.session_id = l.session_id
              and m.campaign_id is null and m.status = 'queued')
            or exists (select from campaign_sessions c join messages m on m.tenant_id = c.tenant_id
              and m.session_id = c.session_id and m.campaign_id = c.campaign_id and m.status = 'queued'
              where c.tenant_id = l.tenant_id and c.session_id = l.session_id and c.running))
        order by l.tenant_id, l.session_id limit $1 for no key update of l skip locked)
      update lanes l set next_at = greatest(l.pace_at, clock_timestamp()) from forgotten f
      where l.tenant_id = f.tenant_id and l.session_id = f.session_id returning l.session_id`,
  },
} as const;
