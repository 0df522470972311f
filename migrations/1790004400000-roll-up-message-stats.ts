import type { MigrationInterface, QueryRunner } from 'typeorm';

const ORIGIN = `timestamptz '1970-01-01 00:00:00+00'`;
const NOBODY = `'00000000-0000-0000-0000-000000000000'::uuid`;

/** The spans of each breakdown in minutes, and those of the former figures that they are added up from. */
const SPANS: Record<number, number> = { 15: 15, 60: 60, 180: 60, 1440: 1440, 23040: 23040 };
const BREAKDOWNS: Record<string, { agent: string; part: string; spans: number[] }> = {
  all: { agent: NOBODY, part: NOBODY, spans: [15, 60, 180, 1440, 23040] },
  agent: { agent: 'agent_id', part: NOBODY, spans: [15, 60, 180, 1440, 23040] },
  session: { agent: 'agent_id', part: 'session_id', spans: [15, 180, 1440, 23040] },
  campaign: { agent: 'agent_id', part: 'campaign_id', spans: [15, 180, 1440, 23040] },
};

const FIGURES = `
  create table message_stats (
    tenant_id uuid not null,
    breakdown text not null check (breakdown in ('all', 'agent', 'session', 'campaign')),
    span smallint not null check (span in (15, 60, 180, 1440, 23040)),
    at timestamptz not null,
    agent_id uuid not null,
    part_id uuid not null,
    direction text not null,
    measures text[] not null,
    buckets integer[] not null,
    counts bigint[] not null,
    constraint message_stats_pk primary key (tenant_id, breakdown, span, at, agent_id, part_id, direction),
    constraint message_stats_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
  ) with (fillfactor = 80)`;

const UP = [
  // Whoever folds as before waits here, and then finds that the figures are others: its changes stay where they are.
  `alter table message_stats no force row level security`,
  `alter table message_stats rename constraint message_stats_pk to message_stats_former_pk`,
  `alter table message_stats rename to message_stats_former`,
  // By what is asked for: of all, of a sender, and of these by session or campaign (part_id). A question reads the rows of its
  // own breakdown, not those of all combinations; and one row has all that is counted in it, which is rarely one thing.
  FIGURES,
  ...Object.entries(BREAKDOWNS).flatMap(([name, { agent, part, spans }]) =>
    spans.map(
      (span) => `
        insert into message_stats (tenant_id, breakdown, span, at, agent_id, part_id, direction, measures, buckets, counts)
        select tenant_id, '${name}', ${span}, at, agent_id, part_id, direction, array_agg(measure), array_agg(bucket), array_agg(n)
        from (
          select tenant_id, date_bin(interval '${span} minutes', at, ${ORIGIN}) as at, ${agent} as agent_id, ${part} as part_id,
            direction, measure, bucket, sum(n)::bigint as n
          from message_stats_former where span = ${SPANS[span]} group by 1, 2, 3, 4, 5, 6, 7 having sum(n) <> 0) f
        group by 1, 4, 5, 6, 7`,
    ),
  ),
  `drop table message_stats_former`,
  // What is folded first comes to here, by quarters of an hour and all that it has, and from here into the figures when it has
  // been here for a while: most of what becomes of a message has become of it by then, and is added to the figures once. Without a
  // key to tenants: whoever adds looks for the tenant itself.
  `
    create table message_stats_recent (
      tenant_id uuid not null,
      at timestamptz not null,
      session_id uuid not null,
      campaign_id uuid not null,
      agent_id uuid not null,
      direction text not null,
      measure text not null,
      bucket integer not null,
      n integer not null,
      since timestamptz not null default now(),
      constraint message_stats_recent_pk
        primary key (tenant_id, at, session_id, campaign_id, agent_id, direction, measure, bucket)
    ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
      autovacuum_vacuum_cost_delay = 0)`,
  `create index message_stats_recent_oldest on message_stats_recent (since)`,
];

const FACTS = `tenant_id, created_at, session_id, campaign_id, created_by, direction, status, source, scheduled_at, sent_at,
  delivered_at`;

const DOWN = [
  `drop table message_stats_recent, message_stats`,
  `
    create table message_stats (
      tenant_id uuid not null,
      span smallint not null check (span in (15, 60, 1440, 23040)),
      at timestamptz not null,
      session_id uuid not null,
      campaign_id uuid not null,
      agent_id uuid not null,
      direction text not null,
      measure text not null,
      bucket integer not null,
      n bigint not null,
      constraint message_stats_pk
        primary key (tenant_id, span, at, session_id, campaign_id, agent_id, direction, measure, bucket),
      constraint message_stats_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    ) with (fillfactor = 80)`,
  // The combinations are not kept any more. All messages are noted as new ones: they count at once, and are folded again.
  `alter table messages no force row level security`,
  `alter table message_stat_deltas no force row level security`,
  `truncate message_stat_deltas`,
  `insert into message_stat_deltas (${FACTS}, n) select ${FACTS}, count(*) from messages group by ${FACTS}`,
  `alter table message_stat_deltas force row level security`,
  `alter table messages force row level security`,
];

/** Figures are kept for each breakdown by itself, and are rolled up from recent ones some time later. */
export class RollUpMessageStats1790004400000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
