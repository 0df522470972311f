const EVERY_CHAIN =
  'The sealer works on the chains of every tenant, and on that of the platform, which is of no tenant.';
const WHOLE_CHAIN =
  'A check reads a chain in one snapshot; the platform has one too, and a deleted tenant still has its own.';

/** A record with all that its digest covers, as text that is the same in every session. */
const SEALED = `l.id, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, l.actor_kind, l.actor_id, l.action,
  l.resource, l.metadata::text as metadata, l.request_id, l.personal_hash`;

const CHAIN = `base_seq::text, base_chain, kept_from::text, base_proof, head_seq::text, head_chain, head_proof`;

/** Start of the month as a time. */
const MONTH = (first: string) => `(${first}::date)::timestamp at time zone 'UTC'`;
const OF_MONTH = (at: string, first: string) =>
  `${at} >= ${MONTH(first)} and ${at} < (${first}::date + interval '1 month') at time zone 'UTC'`;

/** What seals, checks and keeps the audit trail. */
export const AUDIT_STATEMENTS = {
  auditTenantsPending: {
    reason: EVERY_CHAIN,
    // A loose index scan: one look a tenant, however long its backlog. Begins with $2 itself: the platform has the least id.
    text: `with recursive t as (
        (select tenant_id from audit_pending where tenant_id >= $2::uuid order by 1 limit 1)
        union all
        select n.* from t, lateral (select tenant_id from audit_pending where tenant_id > t.tenant_id order by 1 limit 1) n)
      select tenant_id from t limit $1`,
  },
  auditTryLock: {
    reason: EVERY_CHAIN,
    text: `select pg_try_advisory_xact_lock(hashtextextended('audit ' || $1::text, 0)) as locked`,
  },
  auditLock: {
    reason: EVERY_CHAIN,
    text: `select pg_advisory_xact_lock(hashtextextended('audit ' || $1::text, 0))`,
  },
  auditChain: { reason: EVERY_CHAIN, text: `select ${CHAIN} from audit_chains where tenant_id = $1` },
  auditUnsealed: {
    reason: EVERY_CHAIN,
    // `offset 0`: record by record through the index, also where the planner knows nothing of the tables yet.
    text: `select l.* from audit_pending p cross join lateral (
          select ${SEALED} from audit_logs l where l.tenant_id = p.tenant_id and l.id = p.id and l.at = p.at offset 0) l
        where p.tenant_id = $1 order by p.at, p.id limit $2`,
  },
  auditSeal: {
    reason: EVERY_CHAIN,
    text: `insert into audit_seals (tenant_id, seq, month, ids, digests, batch_digest, chain)
      values ($1, $2, $3, $4, $5, $6, $7)`,
  },
  auditMoveHead: {
    reason: EVERY_CHAIN,
    text: `insert into audit_chains (tenant_id, base_seq, base_chain, kept_from, base_proof, head_seq, head_chain, head_proof)
      values ($1, 0, $2, $3, $4, $5, $6, $7)
      on conflict (tenant_id) do update set head_seq = excluded.head_seq, head_chain = excluded.head_chain,
        head_proof = excluded.head_proof`,
  },
  auditNoLongerPending: {
    reason: EVERY_CHAIN,
    text: `delete from audit_pending where tenant_id = $1 and id = any ($2::uuid[]) and at between $3::timestamptz and $4`,
  },
  auditBacklog: {
    reason: 'Health shows the whole backlog.',
    text: `select (select count(*) from (select from audit_pending limit 10001) p)::int as pending,
      (select extract(epoch from clock_timestamp() - min(at)) from (select at from audit_pending limit 10001) o)::int as oldest_s`,
  },
  auditChainsToKeepFrom: {
    reason: EVERY_CHAIN,
    text: `select tenant_id from audit_chains where kept_from < $1::date and tenant_id >= $2::uuid order by 1 limit $3`,
  },
  auditSealsAfter: {
    reason: WHOLE_CHAIN,
    text: `select seq::text, month::text, ids, digests, batch_digest, chain from audit_seals
      where tenant_id = $1 and seq > $2 order by audit_seals.seq limit $3`,
  },
  auditMoveBase: {
    reason: EVERY_CHAIN,
    text: `update audit_chains set base_seq = $2, base_chain = $3, kept_from = $4, base_proof = $5 where tenant_id = $1`,
  },
  auditMaintain: {
    reason: 'Months of the audit trail belong to all tenants at once.',
    text: `select audit_maintain() as gone`,
  },
  auditForgetSeals: {
    reason: EVERY_CHAIN,
    text: `select audit_forget_seals()::int as gone`,
  },
  auditChainNames: {
    reason: 'The operator checks every chain there is.',
    text: `select t.tenant_id, n.slug from (
          select id as tenant_id from tenants union select tenant_id from audit_chains
          union select '00000000-0000-0000-0000-000000000000') t
        left join tenants n on n.id = t.tenant_id order by 1`,
  },
  auditHold: {
    reason: WHOLE_CHAIN,
    // Before the snapshot is taken: no month may go between the two.
    text: `lock table audit_logs in access share mode`,
  },
  auditSealedRecords: {
    reason: WHOLE_CHAIN,
    text: `select s.nth::int as nth, l.*, s.id as sealed_id
        from unnest($2::uuid[]) with ordinality s(id, nth) left join lateral (
          select ${SEALED}, personal, personal_salt from audit_logs l
          where l.tenant_id = $1 and l.id = s.id and ${OF_MONTH('l.at', '$3')} offset 0) l on true
        order by s.nth`,
  },
  auditElsewhere: {
    reason: 'A record that is not where it was sealed may have been moved, to another tenant even.',
    text: `select tenant_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from audit_logs where id = $1
      limit 1`,
  },
  auditErasable: {
    reason: WHOLE_CHAIN,
    text: `select exists (select from tenant_purges where id = $1)
        and not exists (select from tenants where id = $1 and deleted_at is null) as erasable`,
  },
  auditCounts: {
    reason: WHOLE_CHAIN,
    text: `select (select count(*) from audit_logs where tenant_id = $1 and at >= ${MONTH('$2')})::int as records,
      (select count(*) from audit_pending where tenant_id = $1)::int as pending,
      (select count(*) from audit_pending where tenant_id = $1 and at >= ${MONTH('$2')})::int as pending_kept,
      (select extract(epoch from now() - min(at)) from audit_pending where tenant_id = $1)::int as oldest_pending_s`,
  },
  auditLostPending: {
    reason: WHOLE_CHAIN,
    text: `select p.id from audit_pending p left join lateral (select true as there from audit_logs l
          where l.tenant_id = p.tenant_id and l.id = p.id and l.at = p.at offset 0) l on true
        where p.tenant_id = $1 and l.there is null order by p.at, p.id limit 1`,
  },
  auditStranger: {
    reason: WHOLE_CHAIN,
    text: `select l.id from audit_logs l
        left join (select s.month, u.id from audit_seals s, unnest(s.ids) u(id) where s.tenant_id = $1) k
          on k.id = l.id and ${OF_MONTH('l.at', 'k.month')}
        left join audit_pending p on p.tenant_id = l.tenant_id and p.id = l.id and p.at = l.at
        where l.tenant_id = $1 and l.at >= ${MONTH('$2')} and k.id is null and p.id is null
        order by l.at limit 1`,
  },
} as const;
