/**
 * All bytes that the tenant $1 keeps, in whichever feature: files, files that messages alone have, and files that wait to be
 * imported. A reading roll-up over the tables of several features: their bound is of all together.
 */
export const BYTES_KEPT = `(
  coalesce((select sum(size_bytes) from files where tenant_id = $1), 0)
  + coalesce((select sum(size_bytes) from message_media where tenant_id = $1 and state = 'stored' and file_id is null), 0)
  + coalesce((select sum(size_bytes) from imports where tenant_id = $1 and storage_key is not null), 0))`;

/**
 * Nobody else stores anything of the tenant $1 until the transaction ends. It comes before every other lock; what is kept is
 * asked in a statement of its own afterwards, which sees what others have stored meanwhile.
 */
export const HOLD_STORAGE = `select pg_advisory_xact_lock(hashtextextended('storage of ' || $1::text, 0))`;

/** What those need of it who work for all tenants. */
export const STORAGE_STATEMENTS = {
  holdStorage: {
    reason: 'Files are received for all tenants; what each of them keeps has a bound.',
    text: HOLD_STORAGE,
  },
} as const;
