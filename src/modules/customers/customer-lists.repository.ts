import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { parseTimeCursor } from '../../common/time-cursor';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { VipThresholds } from '../tenants/tenants.service';
import { customerColumns, type CustomerRow, SPENT, SPENT_BY_ALL, tierOf, type VipTier } from './customer-row';

/** Which customers are meant; what is absent narrows nothing. */
export interface CustomerFilter {
  tier?: string;
  vip_tier?: VipTier;
  /** In its normal spelling. */
  email?: string;
  /** E.164. */
  phone?: string;
  /** A part of name, email or phone number, in whatever case. */
  q?: string;
  tag?: string;
}

/** Which customers a campaign is for; what is absent narrows nothing. */
export interface AudienceFilter {
  tier?: string;
  vip_tier?: VipTier;
  /** All of them. */
  tags?: string[];
}

/** A customer who can be written to. */
export interface AudienceMember {
  id: string;
  /** E.164. */
  phone: string;
  name: string | null;
  email: string | null;
  tier: string | null;
  vip_tier: VipTier;
}

/** Some of an audience. */
export interface AudiencePortion {
  members: AudienceMember[];
  /** The last customer that was looked at: the next portion begins after it. Null where there is no further one. */
  last: string | null;
}

/** Customers that one statement looks at for an audience, whether they belong to it or not. */
const PORTION = 2_000;

const FILTERED = `c.tenant_id = $1 and ($2::text is null or c.tier = $2) and ($3::text is null or c.email = $3)
  and ($4::text is null or c.phone = $4) and ($5::text is null or c.name ilike $5 or c.email ilike $5 or c.phone like $5)
  and ($6::text is null or c.tags @> array[$6])`;

/** A range of what was spent: above $7, up to $8; null where it has no such end. */
const IN_TIER = `($7::numeric is null or s.total_spent > $7) and ($8::numeric is null or s.total_spent <= $8)`;

const AFTER = `($9::timestamptz is null or (c.created_at, c.id) < ($9, $10::text))`;
const NEWEST_FIRST = `order by c.created_at desc, c.id desc`;

/** So many of the next customers are looked at before anything that costs more is asked. */
const NEAR = 1_000;

// Without a tier that is asked for, orders are read for the rows of the page alone.
const listOf = (source: string): string => `
  select ${customerColumns(7, 8)} from (
    select c.* from ${source} and ${FILTERED} ${NEWEST_FIRST} limit $11 offset $12) c cross join ${SPENT}
  ${NEWEST_FIRST}`;

const LIST = listOf(`customers c where ${AFTER}`);

// What is common fills its page from the next customers; what is not is found by the index of the search. Trigrams tell nothing
// of fewer characters than three.
const SHORTEST_SOUGHT = 3;
const LIKE = `c.id in (select id from customers_like($5::text))`;
const LIST_OF_SOUGHT_NEAR = listOf(`(
  select c.* from customers c where c.tenant_id = $1 and ${AFTER} ${NEWEST_FIRST} limit ${NEAR}) c where true`);
const LIST_OF_SOUGHT = listOf(`customers c where ${LIKE} and ${AFTER}`);

// A tier that is not rare fills its page from the next customers; only where it does not, the orders of all are summed up.
const LIST_OF_TIER_NEAR = `
  select ${customerColumns(13, 14)} from (
    select c.* from customers c where ${FILTERED} and ${AFTER} ${NEWEST_FIRST} limit ${NEAR}) c cross join ${SPENT}
  where ${IN_TIER} ${NEWEST_FIRST} limit $11 offset $12`;

const LIST_OF_TIER = `
  select ${customerColumns(13, 14)} from customers c left join ${SPENT_BY_ALL}
  where ${FILTERED} and ${IN_TIER} and ${AFTER} ${NEWEST_FIRST} limit $11 offset $12`;

const COUNT = `select count(*)::int as count from (select from customers c where ${FILTERED} limit $7) t`;
const COUNT_OF_SOUGHT = `select count(*)::int as count from (select from customers c where ${LIKE} and ${FILTERED} limit $7) t`;

const COUNT_OF_TIER = `
  select count(*)::int as count from (
    select from customers c left join ${SPENT_BY_ALL} where ${FILTERED} and ${IN_TIER} limit $9) t`;

// Every customer is looked at once, however few belong to it, and no statement at more than a portion of them.
const AUDIENCE = `
  with portion as materialized (
    select c.* from customers c where c.tenant_id = $1 and ($2::text is null or c.id > $2) order by c.id limit ${PORTION}),
  members as (
    select c.id, c.phone, c.name, c.email, c.tier, ${tierOf(3, 4)} as vip_tier from portion c cross join ${SPENT}
    where c.phone is not null and c.anonymised_at is null and ($5::text is null or c.tier = $5)
      and ($6::text[] is null or c.tags @> $6))
  select l.last, m.* from (select max(id) as last from portion) l
    left join members m on $7::text is null or m.vip_tier = $7 order by m.id`;

/** The queries on many customers. */
@Injectable()
export class CustomerListsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Newest first, one more than asked for. */
  async list(
    tenantId: string,
    filter: CustomerFilter,
    thresholds: VipThresholds,
    page: PageRequest,
  ): Promise<CustomerRow[]> {
    const { silver, gold } = thresholds;
    const common = paramsOf(tenantId, filter);
    const after = pageParams(page);
    if (filter.vip_tier === undefined) {
      const list = (text: string) =>
        this.db.queryOnce<CustomerRow>(tenantId, text, [...common, silver, gold, ...after]);
      if (!isSought(filter)) return list(LIST);
      const near = await list(LIST_OF_SOUGHT_NEAR);
      return near.length > page.limit ? near : list(LIST_OF_SOUGHT);
    }
    const params = [...common, ...rangeOf(filter.vip_tier, thresholds), ...after, silver, gold];
    const near = await this.db.queryOnce<CustomerRow>(tenantId, LIST_OF_TIER_NEAR, params);
    const whole = near.length > page.limit || filter.email !== undefined || filter.phone !== undefined;
    return whole ? near : this.db.queryOnce<CustomerRow>(tenantId, LIST_OF_TIER, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: CustomerFilter, thresholds: VipThresholds, cap: number): Promise<number> {
    const common = paramsOf(tenantId, filter);
    const { vip_tier: tier } = filter;
    const [row] = await (tier === undefined
      ? this.db.queryOnce<{ count: number }>(tenantId, isSought(filter) ? COUNT_OF_SOUGHT : COUNT, [...common, cap])
      : this.db.queryOnce<{ count: number }>(tenantId, COUNT_OF_TIER, [...common, ...rangeOf(tier, thresholds), cap]));
    return row?.count ?? 0;
  }

  /** The members among the next customers after that id, by id; null begins. */
  async audience(
    tenantId: string,
    { tier, vip_tier: vip, tags }: AudienceFilter,
    { silver, gold }: VipThresholds,
    after: string | null,
  ): Promise<AudiencePortion> {
    const params = [tenantId, after, silver, gold, tier ?? null, tags ?? null, vip ?? null];
    const rows = await this.db.queryOnce<AudienceRow>(tenantId, AUDIENCE, params);
    return { members: rows.filter(isMember), last: rows[0]?.last ?? null };
  }
}

/** Where a portion has no member there is one row without one, for its end. */
type AudienceRow = { last: string | null } & (AudienceMember | Record<keyof AudienceMember, null>);

const isMember = (row: AudienceRow): row is AudienceRow & AudienceMember => row.id !== null;

/** Whether an index leads to what is looked for, and to nothing that is narrower anyway. */
const isSought = ({ q = '', email, phone }: CustomerFilter): boolean =>
  [...q].length >= SHORTEST_SOUGHT && email === undefined && phone === undefined;

const paramsOf = (tenantId: string, { tier, email, phone, q, tag }: CustomerFilter): unknown[] => [
  tenantId,
  tier ?? null,
  email ?? null,
  phone ?? null,
  q === undefined ? null : `%${q.replace(/[\\%_]/g, '\\$&')}%`,
  tag ?? null,
];

function pageParams({ limit, cursor, offset }: PageRequest): unknown[] {
  const from = cursor === undefined ? null : parseTimeCursor(cursor);
  return [from?.at ?? null, from?.id ?? null, limit + 1, offset ?? 0];
}

/** Above which and up to which sum a customer is of that tier. */
function rangeOf(tier: VipTier, { silver, gold }: VipThresholds): [above: string | null, upTo: string | null] {
  if (tier === 'gold') return [gold, null];
  return tier === 'silver' ? [silver, gold] : [null, silver];
}
