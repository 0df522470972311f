import type { MigrationInterface, QueryRunner } from 'typeorm';

const READY = `where owner is null and state = 'open' and next_at is not null`;

const UP = [
  // The owner of a table with forced row security sees none of its rows.
  `alter table lanes no force row level security`,
  `alter table sessions no force row level security`,
  // Where the lane's calls go: due lanes are found by it, so that those of a server that has no room are not even looked at.
  `alter table lanes add server_id uuid`,
  `update lanes l set server_id = s.server_id from sessions s where s.tenant_id = l.tenant_id and s.id = l.session_id`,
  `alter table lanes alter server_id set not null`,
  // Since when WAHA refuses what the lane sends (null: it does not), in which words, and how often in a row.
  `alter table lanes add refused_at timestamptz, add refused_for text, add refusals smallint not null default 0`,
  `create index lanes_refused on lanes (server_id) where refused_at is not null`,
  `drop index lanes_ready`,
  `create index lanes_ready on lanes (server_id, next_at) ${READY}`,
  `drop index sessions_to_catch_up`,
  `create index sessions_to_catch_up on sessions (server_id, catch_up_at) where catch_up_at is not null`,
  // Until when a restart counts as under way; and the configuration that was last put into WAHA, what WAHA made of it, and when.
  `alter table sessions
    add restarting_until timestamptz,
    add config_put text,
    add config_seen text,
    add config_at timestamptz`,
  `create index sessions_restarting on sessions (server_id) where restarting_until is not null`,
  // Since when it accepts our calls, after it did not.
  `alter table waha_servers add accepts_since timestamptz`,
  `alter table lanes force row level security`,
  `alter table sessions force row level security`,
];

const DOWN = [
  `alter table waha_servers drop accepts_since`,
  `drop index sessions_restarting, sessions_to_catch_up, lanes_ready, lanes_refused`,
  `alter table sessions drop restarting_until, drop config_put, drop config_seen, drop config_at`,
  `alter table lanes drop server_id, drop refused_at, drop refused_for, drop refusals`,
  `create index lanes_ready on lanes (next_at) ${READY}`,
  `create index sessions_to_catch_up on sessions (catch_up_at) where catch_up_at is not null`,
];

/** What is shared out by WAHA server: due lanes, catching up, restarts; what WAHA refuses, and the configuration that it has. */
export class BoundServers1790005100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
