const EVERY_TENANT = 'Retention is the same for every tenant, and the purge runs for all of them at once.';

const purge = (table: string, condition: string) => ({
  reason: EVERY_TENANT,
  text: `with gone as (
      delete from ${table} where ctid = any (array(select ctid from ${table} where ${condition} limit $1)) and ${condition}
      returning 1
    ) select count(*)::int as purged from gone`,
});

/** What the purge job removes, $1 rows at a time. Each answers `purged`, the number of rows that it removed. */
export const PURGE_STATEMENTS = {
  purgeIdempotencyKeys: purge('idempotency_keys', `created_at < now() - interval '24 hours' and lease_until < now()`),
  // As long as an Idempotency-Key counts, and as the longest request that had one.
  purgeProductRequests: purge('product_requests', `created_at < now() - interval '25 hours'`),
  purgeLogins: purge('logins', `expires_at < now() - interval '30 days'`),
  // Failures count for 15 minutes, and so long a lock holds.
  purgeLoginFailures: purge('login_failures', `last_at < now() - interval '1 hour'`),
  purgeWebhookEvents: purge(
    'webhook_events',
    `status in ('applied', 'ignored') and received_at < now() - interval '14 days'`,
  ),
  // What could not be applied waits for somebody to look at it, as long as that is still likely.
  purgeFailedEvents: purge(
    'webhook_events',
    `status = 'failed' and (received_at < now() - interval '90 days' or seen_at < now() - interval '14 days')`,
  ),
  purgeImportErrors: purge(
    'import_errors',
    `(tenant_id, import_id) in (select tenant_id, id from imports where finished_at < now() - interval '30 days')`,
  ),
  // One whose file could not be removed yet stays until it is.
  purgeImports: purge(
    'imports',
    `finished_at < now() - interval '30 days' and storage_key is null and not exists (select from import_errors e
      where e.tenant_id = imports.tenant_id and e.import_id = imports.id)`,
  ),
} as const;
