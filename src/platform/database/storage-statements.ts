/**
 * All bytes that the tenant $1 keeps, in whichever feature: files, files that messages alone have, and files that wait to be
 * imported. Their bound is of all together, so triggers of the three tables keep one running total: what was folded into it, and
 * what came and went since. Both of one statement's snapshot, so nothing counts twice or not at all.
 */
export const BYTES_KEPT = `(
  coalesce((select bytes from storage_totals where tenant_id = $1), 0)
  + coalesce((select sum(bytes) from storage_changes where tenant_id = $1), 0))`;

/**
 * Nobody else stores anything of the tenant $1 until the transaction ends. It comes before every other lock; what is kept is
 * asked in a statement of its own afterwards, which sees what others have stored meanwhile.
 */
export const HOLD_STORAGE = `select pg_advisory_xact_lock(hashtextextended('storage of ' || $1::text, 0))`;

/** The rows whose bytes count, as the triggers of the total have them. */
const KEPT_ROWS = `
  select tenant_id, size_bytes as bytes from files
  union all select tenant_id, size_bytes from message_media where state = 'stored' and file_id is null
  union all select tenant_id, size_bytes from imports where storage_key is not null`;

/** What those need of it who work for all tenants. */
export const STORAGE_STATEMENTS = {
  holdStorage: {
    reason: 'Files are received for all tenants; what each of them keeps has a bound.',
    text: HOLD_STORAGE,
  },
  mendStorage: {
    reason: 'The totals of all tenants are compared with what they keep, in one pass over it.',
    // One statement sees rows and totals of one moment; the difference it adds is right whatever is committed meanwhile. What a
    // deleted tenant still has is going, and no part of any total.
    text: `
      with kept as (select tenant_id, sum(bytes) as bytes from (${KEPT_ROWS}) k group by 1),
      total as (
        select tenant_id, sum(bytes) as bytes
        from (select tenant_id, bytes from storage_totals union all select tenant_id, bytes from storage_changes) c group by 1)
      insert into storage_changes (tenant_id, bytes)
      select t.id, coalesce(k.bytes, 0) - coalesce(s.bytes, 0)
      from tenants t left join kept k on k.tenant_id = t.id left join total s on s.tenant_id = t.id
      where t.deleted_at is null and coalesce(k.bytes, 0) <> coalesce(s.bytes, 0)
      returning tenant_id as "tenantId", bytes::float8 as bytes`,
  },
} as const;
