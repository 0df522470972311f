import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The files of imports count as storage while they are kept: they are summed up from an index alone. */
export class CountImportFiles1790004000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(
      `create index imports_kept on imports (tenant_id) include (size_bytes) where storage_key is not null`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop index imports_kept`);
  }
}
