import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a message without a campaign or sender is counted under: a key has no nulls. */
const NOBODY = `'00000000-0000-0000-0000-000000000000'::uuid`;
const ORIGIN = `timestamptz '1970-01-01 00:00:00+00'`;
const SLOT = `date_bin(interval '15 minutes', created_at, ${ORIGIN})`;

/**
 * The bucket of a time in milliseconds: the bounds grow by 1.019 / 0.981, so that its middle is within 1.9 % of whatever
 * fell into it. What is shorter than a millisecond counts as one.
 */
const bucket = (from: string, to: string): string =>
  `ceil(ln(greatest(extract(epoch from ${to} - ${from})::float8 * 1000, 1)) / ln(1.019 / 0.981))::integer`;

/**
 * What these messages count for. Each counts under its status; once sent, with the time that it waited since it was accepted
 * or since it was due (-1: sent on the phone, it never waited here); once delivered, with the time that this took.
 */
const COUNTED = `
  select m.tenant_id, ${SLOT} as at, m.session_id, coalesce(m.campaign_id, ${NOBODY}) as campaign_id,
    coalesce(m.created_by, ${NOBODY}) as agent_id, m.direction, v.measure, v.bucket
  from messages m cross join lateral (values
    (m.status, 0, true),
    ('to_sent', case when m.source = 'app' then -1 else ${bucket('greatest(m.created_at, m.scheduled_at)', 'm.sent_at')} end,
      m.direction = 'outbound' and m.sent_at is not null),
    ('to_delivered', ${bucket('m.sent_at', 'm.delivered_at')}, m.direction = 'outbound' and m.sent_at is not null
      and m.delivered_at is not null)) v(measure, bucket, counts)
  where v.counts`;

/** What of a message is counted, as it stands in its row: working it out is left to whoever folds. */
const FACTS = `tenant_id, created_at, session_id, campaign_id, created_by, direction, status, source, scheduled_at, sent_at,
  delivered_at`;

const note = (rows: string): string => `
  insert into public.message_stat_deltas (${FACTS}, n)
  select ${FACTS}, sum(n) from (${rows}) c group by ${FACTS} having sum(n) <> 0`;
const facts = (rows: string, sign: string): string => `select ${FACTS}, ${sign} as n from ${rows} m`;

const UP = [
  // The figures, four times: by spans of a quarter of an hour, an hour, a day (UTC) and 16 days. Every time zone's days begin
  // and end on quarters, and years are read by few and long spans.
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
  // What has changed since, so many messages (n) that are now as this says, or (below 0) are no longer. Only ever added to: whoever sends waits for nobody who sends. A worker folds it into the figures.
  `
    create table message_stat_deltas (
      tenant_id uuid not null,
      id bigint generated always as identity,
      created_at timestamptz not null,
      session_id uuid not null,
      campaign_id uuid,
      created_by uuid,
      direction text not null,
      status text not null,
      source text not null,
      scheduled_at timestamptz,
      sent_at timestamptz,
      delivered_at timestamptz,
      n integer not null,
      constraint message_stat_deltas_pk primary key (tenant_id, id)
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`,
  `create index message_stat_deltas_oldest on message_stat_deltas (id)`,
  // One place for all statements that change messages, whatever the role, and from the moment that it is there: nobody
  // needs rights on the figures to send. What changes nothing that is counted cancels out. Rows that go with their tenant are
  // not subtracted.
  `
    create function message_stats_note() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$
    begin
      if tg_op = 'INSERT' then
        ${note(facts('fresh', '1'))};
      elsif tg_op = 'UPDATE' then
        ${note(`${facts('former', '-1')} union all ${facts('fresh', '1')}`)};
      else
        ${note(`${facts('former', '-1')} where exists (
          select from public.tenants t where t.id = m.tenant_id and t.deleted_at is null)`)};
      end if;
      return null;
    end $$`,
  `create trigger messages_stats_insert after insert on messages
    referencing new table as fresh for each statement execute function message_stats_note()`,
  `create trigger messages_stats_update after update on messages
    referencing old table as former new table as fresh for each statement execute function message_stats_note()`,
  `create trigger messages_stats_delete after delete on messages
    referencing old table as former for each statement execute function message_stats_note()`,
  // The messages that are there; the triggers' lock keeps others out until the end. The owner of a table with forced row
  // security sees none of its rows.
  `alter table messages no force row level security`,
  `
    insert into message_stats (tenant_id, span, at, session_id, campaign_id, agent_id, direction, measure, bucket, n)
    select tenant_id, span, date_bin(span * interval '1 minute', at, ${ORIGIN}), session_id, campaign_id, agent_id,
      direction, measure, bucket, count(*)
    from (${COUNTED}) c cross join unnest('{15,60,1440,23040}'::smallint[]) as s(span)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9`,
  `alter table messages force row level security`,
];

const DOWN = [
  `drop trigger messages_stats_insert on messages`,
  `drop trigger messages_stats_update on messages`,
  `drop trigger messages_stats_delete on messages`,
  `drop function message_stats_note()`,
  `drop table message_stat_deltas, message_stats`,
];

/** Figures of the messages: how many in which status, and how long sending and delivering took. */
export class MessageStats1790001700000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
