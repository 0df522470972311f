import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when a WAHA server accepts our calls, after it did not. */
export class AcceptsSince1790005140000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table waha_servers add accepts_since timestamptz`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table waha_servers drop accepts_since`);
  }
}
