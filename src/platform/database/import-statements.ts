const ONE_LOOP = 'One loop looks after the imports of all tenants.';

/** How imports are found that something is to be done with, for all tenants alike. */
export const IMPORT_STATEMENTS = {
  takeImport: {
    reason: ONE_LOOP,
    // Of one tenant's files the next begins when the one before has ended: rows of both end as the later says.
    text: `
      with taken as (
        select i.tenant_id, i.id from imports i
        where i.due_at <= statement_timestamp() and (i.status not in ('queued', 'running') or not exists (
          select from imports e where e.tenant_id = i.tenant_id and e.id < i.id and e.status in ('queued', 'running')))
        order by i.due_at limit 1 for no key update of i skip locked)
      update imports i set lease = gen_random_uuid(), due_at = clock_timestamp() + $1::int * interval '1 ms',
        attempts = i.attempts + 1, started_at = coalesce(i.started_at, case when i.status = 'queued' then clock_timestamp() end),
        status = case i.status when 'queued' then 'running' else i.status end
      from taken where i.tenant_id = taken.tenant_id and i.id = taken.id
      returning i.tenant_id as "tenantId", i.id, i.kind, i.format, i.status, i.actor_kind as "actorKind",
        i.actor_id as "actorId", i.storage_key as "storageKey", i.size_bytes as "sizeBytes", i.lease, i.attempts,
        i.next_byte as "nextByte", i.line`,
  },
  importLater: {
    reason: 'An import, of whichever tenant, goes on later: its worker ends, or something of ours is away.',
    text: `update imports set due_at = clock_timestamp() + $4::int * interval '1 ms', attempts = attempts - $5::int
      where tenant_id = $1 and id = $2 and lease = $3 returning id`,
  },
  importTidied: {
    reason: 'The file of an ended import, of whichever tenant, is gone.',
    text: `update imports set storage_key = null, due_at = null where tenant_id = $1 and id = $2 and lease = $3
      and status in ('finished', 'failed') returning id`,
  },
  importForgotten: {
    reason: 'An upload that broke off, of whichever tenant, is gone with what was stored of it.',
    text: `delete from imports where tenant_id = $1 and id = $2 and lease = $3 and status = 'uploading' returning id`,
  },
} as const;
