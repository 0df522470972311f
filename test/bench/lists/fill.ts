import type { Client } from 'pg';
import { firstIdAt, newId } from '../../../src/common/ids';
import { countedOf, FIGURE_COLUMNS, figuresOf } from '../../../src/platform/database/stats-statements';
import { addSessions } from '../queue/messages';
import { dropIndexes } from './indexes';

/** A tenant with a history, and what of it is asked for. What is rare is among its oldest: there it is found last. */
export interface History {
  tenantId: string;
  email: string;
  password: string;
  /** One of those with many messages, one in which only some of the oldest were sent, and one with few at all. */
  session: string;
  listening: string;
  rareSession: string;
  campaign: string;
  rareCampaign: string;
  /** A message after which only a twentieth of the history is left. */
  deep: string;
  /** A day in the middle of it. */
  from: string;
  to: string;
}

const SESSIONS = 8;
const PORTION = 50_000;

/** Of five messages one is another tenant's, at the same times and in the same statuses. The first 300 hold what is rare. */
const FILL = `
  insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, created_by, campaign_id, wa_id, attempts,
    created_at, sent_at, delivered_at, read_at)
  select case when mine then $1::uuid else $2::uuid end,
    (substr(ms, 1, 8) || '-' || substr(ms, 9, 4) || '-7' || substr(hash, 1, 3) || '-8' || substr(hash, 4, 3) || '-' || substr(hash, 7, 12))::uuid,
    case when not mine then $5::uuid when n between 1 and 30 then ($4::uuid[])[8] when n between 271 and 300 then ($4::uuid[])[7]
      else ($4::uuid[])[1 + n % 7] end,
    case when n between 31 and 60 then '447700900000' else (447700900001 + n % 997)::text end || '@c.us',
    case when heard then 'inbound' else 'outbound' end,
    case when n between 121 and 150 then 'poll' when n % 10 = 3 then 'image' else 'text' end,
    case when heard then 'received' else status end,
    'Your order ' || n || ' is ready' || case when n between 181 and 210 then ', dear needle' else ' and can be picked up until six' end,
    case when heard then null when mine then $6::uuid else $2::uuid end,
    case when heard or not mine then null when n between 151 and 180 then $8::uuid when n % 10 = 1 then $7::uuid end,
    'BENCH' || n, 1, at, case when not heard and status in ('sent', 'delivered', 'read', 'played') then sent end,
    case when not heard and status in ('delivered', 'read', 'played') then sent + (1 + n % 23) * interval '1 s' end,
    case when not heard and status in ('read', 'played') then sent + interval '60 s' end
  from (
    select n, n <= 300 or n % 5 > 0 as mine, at, lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as ms,
      md5($1::text || n) as hash, n > 300 and (n % 7 = 6 or n % 10 in (2, 5, 9)) as heard,
      case when n between 61 and 90 then 'queued' when n between 91 and 120 then 'played' when n between 211 and 240 then 'failed'
        when n between 241 and 270 then 'sent' when n % 100 < 30 then 'delivered' else 'read' end as status
    from generate_series($9::bigint, $10::bigint) n
    cross join lateral (select $3::timestamptz - (($11::bigint - n) * 90.0 * 86400 / $11::bigint) * interval '1 s' as at) t) m
    cross join lateral (select at + (0.2 + n % 37 * 0.4) * interval '1 s' as sent) s`;

/** The figures as the service folds and rolls them up, by the same expressions, over all messages at once. */
const FIGURES = `
  insert into message_stats (${FIGURE_COLUMNS})
  ${figuresOf(`select tenant_id, at, session_id, campaign_id, agent_id, direction, measure, bucket, sum(n) as n
    from (${countedOf('(select *, 1 as n from messages)')}) m group by 1, 2, 3, 4, 5, 6, 7, 8`)}`;

/** Fills an empty, migrated database with so many messages of 90 days. */
export async function fillHistory(owner: Client, messages: number): Promise<History> {
  await owner.query('insert into waha_servers (id, base_url) values ($1, $2)', [newId(), 'http://127.0.0.1:9/']);
  const mine = await addSessions(owner, SESSIONS);
  const others = await addSessions(owner, 1);
  const [campaign, rareCampaign] = [newId(), newId()];
  await owner.query(
    `insert into campaigns (tenant_id, id, status, type, content, metadata, created_by)
      select $1, id, 'finished', 'text', '{}', '{}', $1 from unnest($2::uuid[]) g(id)`,
    [mine.tenantId, [campaign, rareCampaign]],
  );
  const now = new Date();
  // The triggers note each change; what they would add up to is written below at once.
  await owner.query('alter table messages disable trigger user');
  const { tenantId, sessions } = mine;
  const common = [tenantId, others.tenantId, now, sessions, others.sessions[0], tenantId, campaign, rareCampaign];
  const indexes = await dropIndexes(owner, 'messages');
  for (let first = 1; first <= messages; first += PORTION)
    await owner.query(FILL, [...common, first, Math.min(first + PORTION - 1, messages), messages]);
  for (const index of indexes) await owner.query(index);
  await owner.query('alter table messages enable trigger user');
  await owner.query(FIGURES);
  await owner.query('vacuum (analyze) messages');
  await owner.query('vacuum (analyze) message_stats');
  const day = new Date(now.getTime() - 45 * 86_400_000);
  const at = (part: number) => new Date(now.getTime() - (1 - part) * 90 * 86_400_000);
  const [deep] = (
    await owner.query<{ id: string }>(
      `select id from messages where tenant_id = $1 and created_at >= $2 and id > $3::uuid order by id limit 1`,
      [tenantId, at(0.05), firstIdAt(at(0.05).getTime())],
    )
  ).rows;
  return {
    ...{ tenantId, email: mine.email, password: mine.password, campaign, rareCampaign, deep: deep?.id ?? newId() },
    ...{ session: sessions[0] ?? '', listening: sessions[6] ?? '', rareSession: sessions[7] ?? '' },
    ...{ from: day.toISOString(), to: new Date(day.getTime() + 86_400_000).toISOString() },
  };
}
