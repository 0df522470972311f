import type { MigrationInterface, QueryRunner } from 'typeorm';

// This and those up to 1790005140000 are one change. Each locks one table: whoever claims has lanes and asks for sessions, and whoever
// applies events has sessions and asks for lanes.
const UP = [
  // Until when a restart counts as under way; and the configuration that was last put into WAHA, what WAHA made of it, and when.
  `alter table sessions
    add restarting_until timestamptz,
    add config_put text,
    add config_seen text,
    add config_at timestamptz`,
  `create index sessions_restarting on sessions (server_id) where restarting_until is not null`,
  `create index sessions_to_catch_up_of_server on sessions (server_id, catch_up_at) where catch_up_at is not null`,
];

const DOWN = [
  `drop index sessions_restarting, sessions_to_catch_up_of_server`,
  `alter table sessions drop restarting_until, drop config_put, drop config_seen, drop config_at`,
];

/** Catching up and restarts are shared out by WAHA server; and the configuration that WAHA has. */
export class BoundServers1790005100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
