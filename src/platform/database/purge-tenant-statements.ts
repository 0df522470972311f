import { AUDIT_COLUMNS, auditPlaceholders } from '../audit/audit-record';

const PLATFORMS = "What is left of deleted tenants is the platform's, and outlives them.";
const PURGE = `id, slug, name, requested_at as "requestedAt", finished_at as "finishedAt", report`;

/** What deletes tenants, and remembers it. */
export const PURGE_TENANT_STATEMENTS = {
  purgeBegin: {
    reason: 'The platform deletes a tenant: that, its purge and the records of it are there together, or none of them.',
    // Its lanes close too, so that nothing of it is sent any more, held in the order in which all hold lanes. The records: the
    // tenant's own ($3 …), the platform's ($14 …).
    text: `with gone as (select id, slug, name from tenant_delete($1, $2)),
      held as (select tenant_id, session_id from lanes where tenant_id in (select id from gone)
        order by tenant_id, session_id for no key update),
      closed as (update lanes l set state = 'closed', next_at = null from held h
        where l.tenant_id = h.tenant_id and l.session_id = h.session_id),
      noted as (insert into audit_logs (${AUDIT_COLUMNS})
        select ${auditPlaceholders(3)} from gone union all select ${auditPlaceholders(14)} from gone)
      insert into tenant_purges (id, slug, name) select id, slug, name from gone returning ${PURGE}`,
  },
  purgeOf: { reason: PLATFORMS, text: `select ${PURGE} from tenant_purges where id = $1` },
  purgesUnfinished: {
    reason: PLATFORMS,
    text: `select id from tenant_purges where finished_at is null order by requested_at`,
  },
  purgesJustFinished: {
    reason: PLATFORMS,
    text: `select id from tenant_purges where finished_at > now() - interval '1 day' order by finished_at`,
  },
  purgeTables: {
    reason: 'Which tables hold rows of tenants, the catalogue says; it belongs to nobody.',
    // Quoted, for it becomes part of a text. What refers to others first: no row goes by cascade, uncounted and unbounded.
    text: `with recursive depth (oid, n) as (
        select oid, 0 from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        union select k.confrelid, d.n + 1 from depth d
          join pg_constraint k on k.conrelid = d.oid and k.contype = 'f' and k.confrelid <> k.conrelid where d.n < 20)
      select format('%I', c.relname) as name from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname not like 'audit\\_%'
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
      order by (select max(n) from depth d where d.oid = c.oid), c.relname`,
  },
  purgeCount: {
    reason: PLATFORMS,
    // Adds $4 to report[$2][$3]: of two at once, both count.
    text: `update tenant_purges set report = jsonb_set(report, array[$2::text], coalesce(report -> $2::text, '{}')
        || jsonb_build_object($3::text, coalesce((report -> $2::text ->> $3::text)::bigint, 0) + $4::bigint))
      where id = $1 and finished_at is null`,
  },
  purgeErase: {
    reason: 'What is personal in the records of a deleted tenant goes, through the function of the owner.',
    text: `select touched::int as erased, up_to from audit_erase($1, $2)`,
  },
  purgeFinish: {
    reason: 'A purge is finished and on record together, once.',
    text: `with done as (update tenant_purges set finished_at = now() where id = $1 and finished_at is null
        and not exists (select from tenants where id = $1) returning id)
      insert into audit_logs (${AUDIT_COLUMNS}) select ${auditPlaceholders(2)} from done returning id`,
  },
} as const;
