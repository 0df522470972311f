import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a change of messages was noted: how far the figures are behind. */
export class StatsLag1790003202000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table message_stat_deltas add noted_at timestamptz not null default now()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table message_stat_deltas drop noted_at`);
  }
}
