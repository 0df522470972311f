import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // Also where a replica of the version before moves it.
  `
    create function sessions_move_lane() returns trigger language plpgsql as $$
    begin
      update lanes set server_id = new.server_id where tenant_id = new.tenant_id and session_id = new.id
        and server_id is distinct from new.server_id;
      return null;
    end $$`,
  `create trigger sessions_move_lane after update of server_id on sessions for each row
    when (old.server_id is distinct from new.server_id) execute function sessions_move_lane()`,
];

const DOWN = [`drop trigger sessions_move_lane on sessions`, `drop function sessions_move_lane`];

/** The lane of a session that moves goes with it. */
export class LanesFollowSessions1790005120000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
