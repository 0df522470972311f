import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { countedOf } from '../../src/platform/database/stats-statements';
import type { TestSession } from '../support/factories';

/** Counts the rows themselves, as the figures should. */
const COUNTED = `
  select date_trunc('hour', created_at, 'UTC') + floor(extract(minute from created_at) / 15) * interval '15 minutes' as at,
    session_id, campaign_id, created_by, direction, status as measure, count(*) as n
  from messages where tenant_id = $1 group by 1, 2, 3, 4, 5, 6
  union all
  select date_trunc('hour', created_at, 'UTC') + floor(extract(minute from created_at) / 15) * interval '15 minutes',
    session_id, campaign_id, created_by, direction, m.measure, count(*)
  from messages cross join lateral (values ('to_sent', sent_at is not null),
    ('to_delivered', sent_at is not null and delivered_at is not null)) m(measure, has)
  where tenant_id = $1 and direction = 'outbound' and m.has group by 1, 2, 3, 4, 5, 6`;

const NULLED = (column: string) => `nullif(${column}, '00000000-0000-0000-0000-000000000000')`;

const figures = (span: number) => `
  select at, session_id, ${NULLED('campaign_id')} as campaign_id, ${NULLED('agent_id')} as created_by, direction, measure,
    sum(n) as n
  from (
    select at, session_id, campaign_id, agent_id, direction, measure, n from message_stats where tenant_id = $1 and span = ${span}
    union all
    select date_bin('${span} minutes', at, '1970-01-01Z'), session_id, campaign_id, agent_id, direction, measure, n
    from (${countedOf('message_stat_deltas')} and d.tenant_id = $1) d) f
  group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0`;

const rows = (span: number) => `
  select date_bin('${span} minutes', at, '1970-01-01Z') as at, session_id, campaign_id, created_by, direction, measure,
    sum(n) as n from (${COUNTED}) c group by 1, 2, 3, 4, 5, 6`;

/** In one statement, of one moment: where the figures with what is not folded yet differ from the rows. */
export async function differences(owner: Client, tenantId: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const span of [15, 60, 1440, 23040]) {
    const result = await owner.query<Record<string, unknown>>(
      `(${figures(span)} except ${rows(span)}) union all (${rows(span)} except ${figures(span)})`,
      [tenantId],
    );
    found.push(...result.rows);
  }
  return found;
}

/** Many messages in one statement, spread over so many hours up to now: all delivered, in between
 * 0.1 s and so many times that each. */
export async function manyMessages(
  owner: Client,
  { tenantId, id }: TestSession,
  { count, hours, senders, times }: { count: number; hours: number; senders: number; times: number },
): Promise<void> {
  const people = Array.from({ length: senders }, () => newId());
  await owner.query(
    `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, created_by, created_at, sent_at,
        delivered_at)
      select $1, gen_random_uuid(), $2, 'a@c.us', 'outbound', 'text', 'delivered', 'x', ($3::uuid[])[1 + i % $6], at, sent,
        sent + 0.1 * $7::float8 ^ random() * interval '1 second'
      from generate_series(1, $4::int) i,
        lateral (select now() - (i % ($5::int * 60)) * interval '1 minute' as at) a,
        lateral (select at + 0.1 * $7::float8 ^ random() * interval '1 second' as sent) s`,
    [tenantId, id, people, count, hours, senders, times],
  );
}
