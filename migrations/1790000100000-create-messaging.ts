import type { MigrationInterface, QueryRunner } from 'typeorm';

const SESSIONS = [
  `
    create table waha_servers (
      id uuid not null constraint waha_servers_pk primary key,
      base_url text not null constraint waha_servers_base_url_key unique,
      engine text,
      version text,
      status text not null default 'unknown' check (status in ('unknown', 'up', 'down', 'refused')),
      status_reason text,
      checked_at timestamptz,
      created_at timestamptz not null default now()
    )`,
  `
    create table sessions (
      tenant_id uuid not null,
      id uuid not null,
      server_id uuid not null constraint sessions_server_fk references waha_servers (id),
      name text not null check (length(name) between 1 and 100),
      waha_name text not null constraint sessions_waha_name_key unique,
      desired text not null default 'running' check (desired in ('running', 'stopped', 'deleted')),
      status text not null default 'STOPPED' check (length(status) <= 64),
      status_at timestamptz not null default '-infinity',
      health text not null default 'ok' check (health in ('ok', 'deaf', 'parked')),
      health_reason text,
      phone text,
      push_name text,
      webhook_secret text not null,
      pace jsonb not null default '{}',
      metadata jsonb not null default '{}',
      restarts integer not null default 0,
      last_inbound_at timestamptz,
      last_ack_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint sessions_pk primary key (tenant_id, id),
      constraint sessions_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  `create unique index sessions_name_key on sessions (tenant_id, lower(name)) where desired <> 'deleted'`,
  // The queue's half of a session: written by every send, so it is kept apart and small, with room for HOT updates.
  `
    create table lanes (
      tenant_id uuid not null,
      session_id uuid not null,
      state text not null default 'parked' check (state in ('open', 'parked', 'closed')),
      next_at timestamptz,
      pace_at timestamptz not null default now(),
      strikes smallint not null default 0,
      owner uuid,
      lease_until timestamptz,
      epoch bigint not null default 0,
      per_minute integer not null check (per_minute between 1 and 60000),
      burst integer not null check (burst between 1 and 1000),
      jitter_ms integer not null check (jitter_ms between 0 and 60000),
      tokens double precision not null,
      tokens_at timestamptz not null default now(),
      constraint lanes_pk primary key (tenant_id, session_id),
      constraint lanes_session_fk foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)`,
  `create index lanes_ready on lanes (next_at) where owner is null and state = 'open' and next_at is not null`,
  `create index lanes_owned on lanes (owner) where owner is not null`,
];

const MESSAGES = [
  `
    create table messages (
      tenant_id uuid not null,
      id uuid not null,
      session_id uuid not null,
      seq bigint generated always as identity,
      chat text not null check (length(chat) <= 128),
      direction text not null check (direction in ('inbound', 'outbound')),
      type text not null check (length(type) <= 32),
      status text not null check (status in ('queued', 'sending', 'sent', 'delivered', 'read', 'played', 'failed',
        'cancelled', 'unknown', 'received')),
      urgency smallint not null default 1,
      body text,
      content jsonb not null default '{}',
      metadata jsonb not null default '{}',
      created_by uuid,
      author text,
      source text not null default 'api' check (source in ('api', 'app')),
      wa_id text,
      wa_id_reserved boolean not null default false,
      attempts smallint not null default 0,
      burned smallint not null default 0,
      attempted_at timestamptz,
      next_attempt_at timestamptz,
      settle_at timestamptz,
      error_code text,
      error text,
      retryable boolean,
      created_at timestamptz not null default now(),
      sent_at timestamptz,
      delivered_at timestamptz,
      read_at timestamptz,
      constraint messages_pk primary key (tenant_id, id),
      constraint messages_session_fk foreign key (tenant_id, session_id) references sessions (tenant_id, id)
    ) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05)`,
  `create unique index messages_wa_id_key on messages (tenant_id, session_id, wa_id) where wa_id is not null`,
  `create index messages_queue on messages (tenant_id, session_id, urgency, seq) where status = 'queued'`,
  // The few chats that hold their later messages back: an attempt is open, its outcome unknown, or its retry is due later.
  `create index messages_holding on messages (tenant_id, session_id, chat)
    where status = 'sending' or (status = 'unknown' and settle_at is not null)
      or (status = 'queued' and next_attempt_at is not null)`,
  `create index messages_to_settle on messages (settle_at)
    where status = 'unknown' and settle_at is not null`,
  `create index messages_by_chat on messages (tenant_id, chat, id)`,
  // The few that are looked for without a session or chat; the rest of the statuses are most of the table.
  `create index messages_unusual on messages (tenant_id, status, id)
    where status in ('failed', 'unknown', 'cancelled', 'sending')`,
  // Attempts without a reserved id, which an echo may name (MessageUpdates).
  `create index messages_nameless on messages (tenant_id, session_id, chat, seq)
    where wa_id is null and status in ('sending', 'unknown')`,
  `create index messages_by_sender on messages (tenant_id, created_by, id) where created_by is not null`,
  `
    create table message_events (
      tenant_id uuid not null,
      message_id uuid not null,
      id bigint generated always as identity,
      at timestamptz not null default clock_timestamp(),
      status text not null,
      attempt smallint,
      error_code text,
      note text,
      constraint message_events_pk primary key (tenant_id, message_id, id),
      constraint message_events_message_fk foreign key (tenant_id, message_id)
        references messages (tenant_id, id) on delete cascade
    )`,
];

const WEBHOOK_EVENTS = [
  // WAHA: message and message.any of one message share their event id, so the event's name belongs to the key (docs/WAHA.md §5).
  `
    create table webhook_events (
      tenant_id uuid not null,
      session_id uuid not null,
      event text not null check (length(event) <= 64),
      event_id text not null check (length(event_id) <= 128),
      seq bigint generated always as identity,
      received_at timestamptz not null default now(),
      status text not null default 'pending' check (status in ('pending', 'applied', 'ignored', 'failed')),
      attempts smallint not null default 0,
      next_at timestamptz not null default now(),
      note text,
      applied_at timestamptz,
      body text not null,
      constraint webhook_events_pk primary key (tenant_id, session_id, event, event_id),
      constraint webhook_events_session_fk foreign key (tenant_id, session_id) references sessions (tenant_id, id)
        on delete cascade
    )`,
  `create index webhook_events_pending on webhook_events (tenant_id, session_id, seq) where status = 'pending'`,
  `create index webhook_events_by_status on webhook_events (tenant_id, status, seq) where status = 'failed'`,
  `create index webhook_events_to_purge on webhook_events (received_at) where status in ('applied', 'ignored')`,
];

/** WAHA servers, WhatsApp sessions, their lanes, messages with their history, and the events that WAHA posts to us. */
export class CreateMessaging1790000100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of [...SESSIONS, ...MESSAGES, ...WEBHOOK_EVENTS]) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table webhook_events, message_events, messages, lanes, sessions, waha_servers`);
  }
}
