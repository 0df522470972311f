import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // Where the lane's calls go: due lanes are found by it, so that those of a server that has no room are not even looked at.
  // And since when WAHA refuses what the lane sends (null: it does not), in which words, and how often in a row.
  `alter table lanes
    add server_id uuid,
    add refused_at timestamptz,
    add refused_for text,
    add refusals smallint not null default 0`,
  // Also where a replica of the version before, which knows nothing of it, makes a session.
  `
    create function lanes_find_server() returns trigger language plpgsql as $$
    begin
      new.server_id := coalesce(new.server_id,
        (select s.server_id from sessions s where s.tenant_id = new.tenant_id and s.id = new.session_id));
      return new;
    end $$`,
  `create trigger lanes_find_server before insert on lanes for each row execute function lanes_find_server()`,
];

const DOWN = [
  `drop trigger lanes_find_server on lanes`,
  `drop function lanes_find_server`,
  `alter table lanes drop server_id, drop refused_at, drop refused_for, drop refusals`,
];

/** A lane knows its WAHA server, and what WAHA refuses. Those that are there are filled in once moves are followed. */
export class LanesOfServers1790005110000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
