import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { parseTimeCursor } from '../../common/time-cursor';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { VipThresholds } from '../tenants/tenants.service';
import {
  AUDIENCE,
  COUNT,
  COUNT_OF_FOUND_OF_TIER,
  COUNT_OF_TIER,
  FEW_OF_TIER,
  type Index,
  LIST,
  LIST_NEAR,
  LIST_OF_FOUND,
  LIST_OF_FOUND_OF_TIER,
  LIST_OF_TIER,
  LIST_OF_TIER_NEAR,
  LIST_OF_TIER_ON_WAY,
  NAMED,
  SOME_OF_TIER,
  TAGGED,
} from './customer-lists.statements';
import type { CustomerRow, VipTier } from './customer-row';

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

// What is common fills its page from the next customers, or at last from all of them; what is not is found by an index, of tags or
// of the search. That tells nothing of a text in which no three letters or digits follow one another.
const INDEXED = /[\p{L}\p{N}]{3}/u;
/** So many that are found are common: to look at each of them would take longer than to fill a page on the way. */
const COMMON = 1_000;

/** How an index is asked, and for whom. */
type Sought = Index & { value: string };

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
    const after = pageParams(page);
    const run = (text: string, range: unknown[], ...more: unknown[]) =>
      this.db.queryOnce<CustomerRow>(tenantId, text, [...paramsOf(tenantId, filter), ...range, ...after, ...more]);
    const { vip_tier: tier } = filter;
    const sought = soughtOf(filter);
    const ofTier = tier && rangeOf(tier, thresholds);
    const list = (text: string, ...ids: unknown[]) =>
      ofTier ? run(text, ofTier, silver, gold, ...ids) : run(text, [silver, gold], ...ids);
    if (sought.length === 0) return list(ofTier ? LIST_OF_TIER : LIST);
    const few = ofTier && (await this.fewOfTier(tenantId, ofTier));
    if (few) return list(LIST_OF_FOUND_OF_TIER, few);
    const near = await list(ofTier ? LIST_OF_TIER_NEAR : LIST_NEAR);
    if (near.length > page.limit) return near;
    const found = await this.few(tenantId, sought);
    if (found) return list(ofTier ? LIST_OF_FOUND_OF_TIER : LIST_OF_FOUND, found);
    return list(ofTier ? LIST_OF_TIER_ON_WAY : LIST);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: CustomerFilter, thresholds: VipThresholds, cap: number): Promise<number> {
    const common = paramsOf(tenantId, filter);
    const { vip_tier: tier } = filter;
    const count = async (text: string, params: unknown[]): Promise<{ count: number; rare?: boolean } | undefined> =>
      (await this.db.queryOnce<{ count: number; rare?: boolean }>(tenantId, text, [...common, ...params]))[0];
    if (tier !== undefined) {
      const [range, sought] = [rangeOf(tier, thresholds), soughtOf(filter)];
      const few = await this.few(tenantId, sought);
      const counted = few ? count(COUNT_OF_FOUND_OF_TIER, [...range, cap, few]) : count(COUNT_OF_TIER, [...range, cap]);
      return (await counted)?.count ?? 0;
    }
    for (const sought of soughtOf(filter)) {
      const found = await count(sought.count, [cap]);
      if (found?.rare) return found.count;
    }
    return (await count(COUNT, [cap]))?.count ?? 0;
  }

  /** The ids of all that may be meant, where an index finds few of them; undefined where it finds many, or none tells of them. */
  private async few(tenantId: string, sought: Sought[]): Promise<string[] | undefined> {
    for (const { list, value } of sought) {
      const found = await this.db.query<{ id: string }>(tenantId, list, [value, COMMON]);
      if (found.length < COMMON) return found.map(({ id }) => id);
    }
    return undefined;
  }

  /** The ids of all whose totals are in the range, where they are few. Those whose orders changed since are not looked for. */
  private async fewOfTier(tenantId: string, range: TierRange): Promise<string[] | undefined> {
    const some = await this.db.query<{ id: string }>(tenantId, SOME_OF_TIER, [tenantId, ...range, FEW_OF_TIER]);
    return some.length < FEW_OF_TIER ? some.map(({ id }) => id) : undefined;
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

type TierRange = [above: string | null, upTo: string | null];

/** Above which and up to which sum a customer is of that tier. */
function rangeOf(tier: VipTier, { silver, gold }: VipThresholds): TierRange {
  if (tier === 'gold') return [gold, null];
  return tier === 'silver' ? [silver, gold] : [null, silver];
}
