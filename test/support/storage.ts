import type { Client } from 'pg';

/** Sums up the rows themselves, as the totals should. */
const KEPT = `
  select tenant_id, sum(size_bytes) as bytes from (
    select tenant_id, size_bytes from files
    union all select tenant_id, size_bytes from message_media where state = 'stored' and file_id is null
    union all select tenant_id, size_bytes from imports where storage_key is not null) k group by 1`;
const TOTALS = `
  select tenant_id, sum(bytes) as bytes
  from (select tenant_id, bytes from storage_totals union all select tenant_id, bytes from storage_changes) c group by 1`;

/** In one statement, of one moment: tenants whose total is not what they keep. Of those that are being deleted there is none. */
export async function storageDifferences(owner: Client): Promise<unknown[]> {
  const { rows } = await owner.query<object>(
    `select t.id, k.bytes as kept, s.bytes as total from tenants t
      left join (${KEPT}) k on k.tenant_id = t.id left join (${TOTALS}) s on s.tenant_id = t.id
      where t.deleted_at is null and coalesce(k.bytes, 0) <> coalesce(s.bytes, 0)`,
  );
  return rows;
}
