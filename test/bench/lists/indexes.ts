import type { Client } from 'pg';

/** Takes away what only speeds reading of the table up: made again when the rows are there, it costs a fraction. Answers how to make it. */
export async function dropIndexes(owner: Client, table: string): Promise<string[]> {
  await owner.query(`set maintenance_work_mem = '512MB'`);
  const { rows } = await owner.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
      where i.indrelid = $1::regclass and not i.indisunique
        and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid)`,
    [table],
  );
  for (const { name } of rows) await owner.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition);
}
