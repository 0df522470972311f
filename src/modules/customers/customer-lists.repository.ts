import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { parseTimeCursor } from '../../common/time-cursor';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { VipThresholds } from '../tenants/tenants.service';
import { customerColumns, type CustomerRow, SPENT, tierOf, totalKey, type VipTier } from './customer-row';

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
const listOf = (source: string, [silver, gold]: readonly [number, number] = [7, 8]): string => `
  select ${customerColumns(silver, gold)} from (
    select c.* from ${source} and ${FILTERED} ${NEWEST_FIRST} limit $11 offset $12) c cross join ${SPENT}
  ${NEWEST_FIRST}`;

const LIST = listOf(`customers c where ${AFTER}`);

// What is common fills its page from the next customers, or at last from all of them; what is not is found by an index, of tags or
// of the search. That tells nothing of a text in which no three letters or digits follow one another.
const INDEXED = /[\p{L}\p{N}]{3}/u;
/** So many that are found are common: to look at each of them would take longer than to fill a page on the way. */
const COMMON = 1_000;
const LIST_NEAR = listOf(`(
  select c.* from customers c where c.tenant_id = $1 and ${AFTER} ${NEWEST_FIRST} limit ${NEAR}) c where true`);
const LIST_OF_FOUND = listOf(`customers c where c.id = any ($13::text[]) and ${AFTER}`);

// Of customers whose orders did not change since their totals were made, the totals tell the tier: few are found by them, many on
// the way. Of the others, who are never many, the orders are summed up.
const SETTLED = `customer_totals t join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id
  where t.tenant_id = $1 and ($7::numeric is null or t.total_key > ${totalKey('$7')})
    and ($8::numeric is null or t.total_key <= ${totalKey('$8')})
    and t.customer_id not in (select d.customer_id from customer_total_changes d where d.tenant_id = $1)`;
const CHANGED = `customers c cross join ${SPENT} where ${IN_TIER}
  and c.id in (select d.customer_id from customer_total_changes d where d.tenant_id = $1)`;

const LIST_OF_TIER = listOf(
  `(
    (select c.* from ${SETTLED} and ($9::timestamptz is null or (t.created_at, t.customer_id) < ($9, $10::text)) and ${FILTERED}
      order by t.created_at desc, t.customer_id desc limit $11::int + $12::int)
    union all
    (select c.* from ${CHANGED} and ${AFTER} and ${FILTERED})) c where true`,
  [13, 14],
);

const LIST_OF_FOUND_OF_TIER = listOf(
  `(select c.* from customers c cross join ${SPENT} where c.tenant_id = $1 and c.id = any ($15::text[]) and ${IN_TIER}
    and ${AFTER}) c where true`,
  [13, 14],
);

const COUNT = `select count(*)::int as count from (select from customers c where ${FILTERED} limit $7) t`;
// Where as many are found as are counted at most, counting all of them on the way comes to its end sooner.
const countOf = (sought: string): string => `
  with sought as materialized (select id from ${sought}),
  found as materialized (select count(*) < $7 as rare from sought)
  select found.rare, (
    select count(*)::int from customers c where found.rare and c.id in (select id from sought) and ${FILTERED}) as count
  from found`;

const COUNT_OF_TIER = `
  select count(*)::int as count from (
    (select from ${SETTLED} and ${FILTERED}) union all (select from ${CHANGED} and ${FILTERED}) limit $9) t`;
const COUNT_OF_FOUND_OF_TIER = `
  select count(*)::int as count from customers c cross join ${SPENT} where ${IN_TIER} and c.id = any ($9::text[]) and ${FILTERED}`;

/** How an index is asked, for whom, and how many of them are counted by it. */
interface Sought {
  list: string;
  count: string;
  value: string;
}
const TAGGED = {
  list: `select id from customers_tagged($1::text, $2::int)`,
  count: countOf('customers_tagged($6::text, $7::int)'),
};
const NAMED = {
  list: `select id from customers_like($1::text, $2::int)`,
  count: countOf('customers_like($5::text, $7::int)'),
};

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
    const [common, after] = [paramsOf(tenantId, filter), pageParams(page)];
    const run = (text: string, range: unknown[], more: unknown[] = []) =>
      this.db.queryOnce<CustomerRow>(tenantId, text, [...common, ...range, ...after, ...more]);
    if (filter.vip_tier !== undefined) {
      const range = rangeOf(filter.vip_tier, thresholds);
      const found = await this.few(tenantId, filter);
      return found === null
        ? run(LIST_OF_TIER, range, [silver, gold])
        : run(LIST_OF_FOUND_OF_TIER, range, [silver, gold, found]);
    }
    const list = (text: string, more?: unknown[]) => run(text, [silver, gold], more);
    if (soughtOf(filter).length === 0) return list(LIST);
    const near = await list(LIST_NEAR);
    if (near.length > page.limit) return near;
    const found = await this.few(tenantId, filter);
    return found === null ? list(LIST) : list(LIST_OF_FOUND, [found]);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: CustomerFilter, thresholds: VipThresholds, cap: number): Promise<number> {
    const common = paramsOf(tenantId, filter);
    const { vip_tier: tier } = filter;
    const count = async (text: string, params: unknown[]): Promise<{ count: number; rare?: boolean } | undefined> =>
      (await this.db.queryOnce<{ count: number; rare?: boolean }>(tenantId, text, [...common, ...params]))[0];
    if (tier !== undefined) {
      const [range, few] = [rangeOf(tier, thresholds), await this.few(tenantId, filter)];
      const counted =
        few === null ? count(COUNT_OF_TIER, [...range, cap]) : count(COUNT_OF_FOUND_OF_TIER, [...range, few]);
      return (await counted)?.count ?? 0;
    }
    for (const sought of soughtOf(filter)) {
      const found = await count(sought.count, [cap]);
      if (found?.rare) return found.count;
    }
    return (await count(COUNT, [cap]))?.count ?? 0;
  }

  /** The ids of all that may be meant, where an index finds few of them; null where it finds many, or none tells of them. */
  private async few(tenantId: string, filter: CustomerFilter): Promise<string[] | null> {
    for (const { list, value } of soughtOf(filter)) {
      const found = await this.db.query<{ id: string }>(tenantId, list, [value, COMMON]);
      if (found.length < COMMON) return found.map(({ id }) => id);
    }
    return null;
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

/** The indexes that lead to what is looked for; none where something narrower does anyway. */
function soughtOf(filter: CustomerFilter): Sought[] {
  const { q = '', tag, email, phone } = filter;
  if (email !== undefined || phone !== undefined) return [];
  return [
    ...(tag === undefined ? [] : [{ ...TAGGED, value: tag }]),
    ...(INDEXED.test(q) ? [{ ...NAMED, value: patternOf(q) }] : []),
  ];
}

const patternOf = (q: string): string => `%${q.replace(/[\\%_]/g, '\\$&')}%`;

const paramsOf = (tenantId: string, filter: CustomerFilter): unknown[] => [
  tenantId,
  filter.tier ?? null,
  filter.email ?? null,
  filter.phone ?? null,
  filter.q === undefined ? null : patternOf(filter.q),
  filter.tag ?? null,
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
