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

/** The rows of the tenant $1 whose bytes count, as the triggers of the total have them. */
const KEPT_ROWS = `
  select size_bytes as bytes from files where tenant_id = $1
  union all select size_bytes from message_media where tenant_id = $1 and state = 'stored' and file_id is null
  union all select size_bytes from imports where tenant_id = $1 and storage_key is not null`;

/** What those need of it who work for all tenants. */
export const STORAGE_STATEMENTS = {
  holdStorage: {
    reason: 'Files are received for all tenants; what each of them keeps has a bound.',
    text: HOLD_STORAGE,
  },
  tenantsToCheck: {
    reason: 'The totals of all tenants are compared with what they keep, one tenant after another.',
    text: `select id from tenants where id > $1::uuid and deleted_at is null order by id limit $2`,
  },
  beginStorageCheck: {
    reason: 'The check of all tenants mends a total once, also where it runs twice at a time.',
    // A statement of its own: the one that mends begins afterwards, and sees what a check before it has mended.
    text: `select pg_try_advisory_xact_lock(hashtextextended('storage check of ' || $1::text, 0)) as "isOurs"`,
  },
  mendStorage: {
    reason: 'The totals of all tenants are compared with what they keep, one tenant after another.',
    // One statement sees rows and total of one moment; the difference it adds is right whatever is committed meanwhile. What a
    // deleted tenant still has is going, and no part of any total.
    text: `
      insert into storage_changes (tenant_id, bytes)
      select t.id, k.bytes - s.bytes
      from tenants t,
        (select coalesce(sum(bytes), 0) as bytes from (${KEPT_ROWS}) r) k,
        (select ${BYTES_KEPT} as bytes) s
      where t.id = $1 and t.deleted_at is null and k.bytes <> s.bytes
      returning bytes::float8 as bytes`,
  },
} as const;
