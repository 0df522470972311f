import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Removals that fail come again after growing pauses. */
export class PauseFailingRemovals1790005200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table object_removals add column failures integer not null default 0`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table object_removals drop column failures`);
  }
}
