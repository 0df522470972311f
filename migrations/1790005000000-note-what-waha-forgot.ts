import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When WAHA last lost what it knew of a session: its answers prove nothing of what was sent before. */
export class NoteWhatWahaForgot1790005000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query('alter table sessions add column forgot_at timestamptz');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('alter table sessions drop column forgot_at');
  }
}
