import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // The chats that a session has written to or heard of, and when it last heard of them: whether a message is a first contact,
  // or a reply, is one look at this.
  `
    create table chats (
      tenant_id uuid not null,
      session_id uuid not null,
      chat text not null check (length(chat) <= 128),
      known_at timestamptz not null default now(),
      last_inbound_at timestamptz,
      constraint chats_pk primary key (tenant_id, session_id, chat),
      constraint chats_session_fk foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
    )`,
  // The owner of a table with forced row security sees none of its rows.
  `alter table messages no force row level security`,
  `alter table sessions no force row level security`,
  `insert into chats (tenant_id, session_id, chat, known_at, last_inbound_at)
    select tenant_id, session_id, chat, min(created_at), max(created_at) filter (where direction = 'inbound') from messages
    where direction = 'inbound' or sent_at is not null group by 1, 2, 3`,
  `alter table messages force row level security`,
  `alter table sessions force row level security`,
  // Urgency: 0 replies, 1 what is sent one by one, 2 campaigns. First contacts are a queue of their own, for their cap.
  `alter table messages add first_contact boolean not null default false`,
  `drop index messages_queue`,
  `create index messages_queue on messages (tenant_id, session_id, first_contact, urgency, seq) where status = 'queued'`,
  // What waits for a chat: it goes first once somebody there has written.
  `create index messages_waiting on messages (tenant_id, chat, session_id) where status = 'queued'`,
  `
    alter table lanes
      add daily_cap integer not null default 1000 check (daily_cap between 1 and 1000000),
      add first_contacts_per_day integer not null default 50 check (first_contacts_per_day between 0 and 1000000),
      add warmup boolean not null default false,
      add warmup_days integer not null default 14 check (warmup_days between 1 and 365),
      add warmup_start integer not null default 20 check (warmup_start between 1 and 1000000),
      add warmup_from date,
      add quiet_from time,
      add quiet_to time,
      add day date not null default '-infinity',
      add day_sent integer not null default 0,
      add day_firsts integer not null default 0,
      add firsts_closed_until timestamptz,
      add constraint lanes_quiet_check check ((quiet_from is null) = (quiet_to is null))`,
];

const DOWN = [
  `alter table lanes drop daily_cap, drop first_contacts_per_day, drop warmup, drop warmup_days, drop warmup_start,
    drop warmup_from, drop quiet_from, drop quiet_to, drop day, drop day_sent, drop day_firsts, drop firsts_closed_until`,
  `drop index messages_waiting, messages_queue`,
  `alter table messages drop first_contact`,
  `create index messages_queue on messages (tenant_id, session_id, urgency, seq) where status = 'queued'`,
  `drop table chats`,
];

/** What a session may send in a day, and to whom first. */
export class PaceCaps1790001100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
