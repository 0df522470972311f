import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Templates with a file: what it is sent as, where it is fetched from, and what it is called. The text is its caption then. */
export class TemplateMedia1790003203000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table templates add media jsonb`);
  }

  async down(q: QueryRunner): Promise<void> {
    // The older service would send the caption alone, and nobody would know.
    await q.query(`alter table templates no force row level security`);
    await q.query(`delete from templates where media is not null`);
    await q.query(`alter table templates force row level security`);
    await q.query(`alter table templates drop media`);
  }
}
