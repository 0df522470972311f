import type { MigrationInterface, QueryRunner } from 'typeorm';

const READY = `where owner is null and state = 'open' and next_at is not null`;

const UP = [
  // There are as many as sessions, which are thousands. Who locks several rows of them waits for all, and not for each other. A session
  // that moves now waits in its trigger, and overwrites what is filled in here.
  `lock table lanes in exclusive mode`,
  `update lanes l set server_id = s.server_id from sessions s
    where s.tenant_id = l.tenant_id and s.id = l.session_id and l.server_id is distinct from s.server_id`,
  `create index lanes_refused on lanes (server_id) where refused_at is not null`,
  // Beside lanes_ready and sessions_to_catch_up, which the version before goes by.
  `create index lanes_ready_of_server on lanes (server_id, next_at) ${READY}`,
];

/** Says of the lanes that are there on which server they are, now that nobody makes or moves one without saying so. */
export class FillLanes1790005130000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop index lanes_ready_of_server, lanes_refused`);
  }
}
