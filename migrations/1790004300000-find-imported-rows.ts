import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // In the index a record of an import stands under each id that it added or changed, so that the trail itself has nothing new to
  // keep, and records of before are found as well. Without a list of what is still to be put in: whoever looks would read all of that.
  `create index audit_logs_by_imported on audit_logs
    using gin (tenant_id, ((metadata->'added')::jsonb), ((metadata->'changed')::jsonb))
    with (fastupdate = off) where action = 'IMPORT_ROWS_WRITTEN'`,
  // What looks into JSON is not leakproof, so behind row security it uses no index. The function gives nothing of the records of the
  // tenant in scope but which they are; they themselves are read through the wall.
  `
    create function audit_imports_of(kind text, row_id text) returns table (id uuid, at timestamptz)
      language sql stable security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off rows 10 as $$
        select l.id, l.at from audit_logs l
        where l.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid and l.action = 'IMPORT_ROWS_WRITTEN'
          and ((l.metadata->'added')::jsonb ? row_id or (l.metadata->'changed')::jsonb ? row_id) and l.metadata->>'kind' = kind
      $$`,
];

/** The records of imports are found by the products and customers that these wrote. */
export class FindImportedRows1790004300000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function audit_imports_of(text, text)`);
    await q.query(`drop index audit_logs_by_imported`);
  }
}
