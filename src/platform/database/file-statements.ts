/** How objects that nobody keeps are removed, of all tenants alike. */
export const FILE_STATEMENTS = {
  takeRemovals: {
    reason: 'One loop removes the objects that nobody keeps, whatever the tenant.',
    // Whoever dies while it removes one leaves it to the next, some minutes later.
    text: `update object_removals r set taken = true, due_at = clock_timestamp() + interval '10 minutes'
      from (select tenant_id, storage_key from object_removals where due_at <= clock_timestamp()
        order by due_at limit $1 for update skip locked) d
      where r.tenant_id = d.tenant_id and r.storage_key = d.storage_key
      returning r.tenant_id, r.storage_key`,
  },
  removalLater: {
    reason: 'An object of whichever tenant could not be removed: it comes again after a pause that grows, up to a day.',
    text: `update object_removals set failures = failures + 1,
        due_at = clock_timestamp() + least(interval '10 minutes' * power(2, least(failures, 10)), interval '1 day')
      where tenant_id = $1 and storage_key = $2 and taken`,
  },
  removalDone: {
    reason: 'An object is gone, of whichever tenant: nobody has to remove it any more.',
    text: `delete from object_removals where tenant_id = $1 and storage_key = $2 and taken`,
  },
} as const;
