import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // What is sent to many, once to each. `accepting`: its recipients are still coming in, to whoever has the `intake`, and
  // nothing of it is sent; where nobody finishes that, it goes as if it had never been.
  `
    create table campaigns (
      tenant_id uuid not null,
      id uuid not null,
      name text check (length(name) between 1 and 200),
      status text not null default 'accepting'
        check (status in ('accepting', 'scheduled', 'running', 'paused', 'finished', 'cancelled')),
      type text not null,
      template_id uuid,
      content jsonb not null,
      metadata jsonb not null,
      created_by uuid not null,
      per_minute integer check (per_minute between 1 and 60000),
      scheduled_at timestamptz,
      expires_at timestamptz,
      accepted integer not null default 0,
      folded integer not null default 0,
      rejected integer not null default 0,
      intake uuid,
      accepting_until timestamptz,
      clearing boolean not null default false,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz,
      constraint campaigns_pk primary key (tenant_id, id),
      constraint campaigns_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  // One clock looks after the campaigns of all tenants that something is still to be done with.
  `create index campaigns_open on campaigns (status, id) where status in ('accepting', 'scheduled', 'running') or clearing`,
  // From which sessions it is sent. Its messages are queued from the beginning; a lane looks at them only while this says so.
  `
    create table campaign_sessions (
      tenant_id uuid not null,
      session_id uuid not null,
      campaign_id uuid not null,
      running boolean not null default false,
      per_minute integer,
      next_at timestamptz,
      constraint campaign_sessions_pk primary key (tenant_id, campaign_id, session_id),
      constraint campaign_sessions_campaign_fk foreign key (tenant_id, campaign_id) references campaigns (tenant_id, id)
        on delete cascade,
      constraint campaign_sessions_session_fk foreign key (tenant_id, session_id) references sessions (tenant_id, id)
        on delete cascade
    )`,
  `create index campaign_sessions_running on campaign_sessions (tenant_id, session_id) where running`,
  `alter table messages add campaign_id uuid,
    add constraint messages_campaign_fk foreign key (tenant_id, campaign_id) references campaigns (tenant_id, id)`,
  `create index messages_campaign on messages (tenant_id, campaign_id, id) where campaign_id is not null`,
  `drop index messages_queue`,
  `create index messages_queue on messages (tenant_id, session_id, campaign_id, first_contact, urgency, seq)
    where status = 'queued'`,
];

const DOWN = [
  `drop index messages_queue`,
  `alter table messages drop campaign_id`,
  `create index messages_queue on messages (tenant_id, session_id, first_contact, urgency, seq) where status = 'queued'`,
  `drop table campaign_sessions, campaigns`,
];

/** Campaigns: one message to many. */
export class Campaigns1790001600000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
