import type { MigrationInterface, QueryRunner } from 'typeorm';

const READY = `where owner is null and state = 'open' and next_at is not null`;

const UP = [
  // Until when a restart counts as under way; and the configuration that was last put into WAHA, what WAHA made of it, and when.
  `alter table sessions
    add restarting_until timestamptz,
    add config_put text,
    add config_seen text,
    add config_at timestamptz`,
  `create index sessions_restarting on sessions (server_id) where restarting_until is not null`,
  `create index sessions_to_catch_up_of_server on sessions (server_id, catch_up_at) where catch_up_at is not null`,
  // Where the lane's calls go: due lanes are found by it, so that those of a server that has no room are not even looked at.
  // And since when WAHA refuses what the lane sends (null: it does not), in which words, and how often in a row.
  `alter table lanes
    add server_id uuid,
    add refused_at timestamptz,
    add refused_for text,
    add refusals smallint not null default 0`,
  // Also where a replica of the version before, which knows nothing of it, makes a session or moves it.
  `
    create function lanes_find_server() returns trigger language plpgsql as $$
    begin
      new.server_id := coalesce(new.server_id,
        (select s.server_id from sessions s where s.tenant_id = new.tenant_id and s.id = new.session_id));
      return new;
    end $$`,
  `create trigger lanes_find_server before insert on lanes for each row execute function lanes_find_server()`,
  `
    create function sessions_move_lane() returns trigger language plpgsql as $$
    begin
      update lanes set server_id = new.server_id where tenant_id = new.tenant_id and session_id = new.id
        and server_id is distinct from new.server_id;
      return null;
    end $$`,
  `create trigger sessions_move_lane after update of server_id on sessions for each row
    when (old.server_id is distinct from new.server_id) execute function sessions_move_lane()`,
  // There are as many as sessions, which are thousands. The owner of a table with forced row security sees none of its rows.
  `alter table lanes no force row level security`,
  `alter table sessions no force row level security`,
  `update lanes l set server_id = s.server_id from sessions s where s.tenant_id = l.tenant_id and s.id = l.session_id`,
  `alter table lanes force row level security`,
  `alter table sessions force row level security`,
  `create index lanes_refused on lanes (server_id) where refused_at is not null`,
  // Beside lanes_ready and sessions_to_catch_up, which the version before goes by.
  `create index lanes_ready_of_server on lanes (server_id, next_at) ${READY}`,
  // Since when it accepts our calls, after it did not.
  `alter table waha_servers add accepts_since timestamptz`,
];

const DOWN = [
  `alter table waha_servers drop accepts_since`,
  `drop trigger sessions_move_lane on sessions`,
  `drop trigger lanes_find_server on lanes`,
  `drop function sessions_move_lane, lanes_find_server`,
  `drop index sessions_restarting, sessions_to_catch_up_of_server, lanes_ready_of_server, lanes_refused`,
  `alter table sessions drop restarting_until, drop config_put, drop config_seen, drop config_at`,
  `alter table lanes drop server_id, drop refused_at, drop refused_for, drop refusals`,
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
