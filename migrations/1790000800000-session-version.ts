import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The version of what people edit of a session, for its ETag. */
export class SessionVersion1790000800000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table sessions add version integer not null default 1`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table sessions drop version`);
  }
}
