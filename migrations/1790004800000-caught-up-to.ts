import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Until when nothing of a session is missing: WAHA was asked, and all that it had is here. Null: it was never asked. */
export class CaughtUpTo1790004800000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table sessions add caught_up_to timestamptz`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table sessions drop caught_up_to`);
  }
}
