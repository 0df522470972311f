import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // A server without a key of its own is the one of WAHA_BASE_URL: its address and key are the configuration's.
  `
    alter table waha_servers
      add name text not null default 'WAHA' check (length(name) between 1 and 100),
      add api_key text,
      add from_config boolean not null default false,
      add capacity integer check (capacity > 0),
      add storage_group text check (length(storage_group) between 1 and 100),
      add state text not null default 'active' check (state in ('active', 'draining')),
      add last_seen_at timestamptz,
      add down_since timestamptz,
      add version_no integer not null default 1,
      add updated_at timestamptz not null default now()`,
  `update waha_servers set from_config = true`,
  `create unique index waha_servers_from_config_key on waha_servers (from_config) where from_config`,
  // A session that moves: where it must be stopped first, since when, and when somebody next sees to it.
  `
    alter table sessions
      add leaving_server_id uuid constraint sessions_leaving_server_fk references waha_servers (id),
      add move_kind text check (move_kind in ('login', 'scan')),
      add moving_since timestamptz,
      add move_at timestamptz,
      add needs_scan boolean not null default false`,
  `create index sessions_by_server on sessions (server_id)`,
  `create index sessions_leaving on sessions (leaving_server_id) where leaving_server_id is not null`,
  `create index sessions_to_scan on sessions (server_id) where needs_scan`,
  `create index sessions_to_move on sessions (move_at) where move_at is not null`,
];

const DOWN = [
  `drop index sessions_by_server, sessions_leaving, sessions_to_scan, sessions_to_move`,
  `alter table sessions drop leaving_server_id, drop move_kind, drop moving_since, drop move_at, drop needs_scan`,
  `drop index waha_servers_from_config_key`,
  `
    alter table waha_servers drop name, drop api_key, drop from_config, drop capacity, drop storage_group, drop state,
      drop last_seen_at, drop down_since, drop version_no, drop updated_at`,
];

/** WAHA servers that are registered with a capacity, and sessions that move from one to another. */
export class ServerPool1790001800000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
