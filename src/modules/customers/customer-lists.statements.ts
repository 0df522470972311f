import { customerColumns, SPENT, tierOf, totalKey } from './customer-row';

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

/** Parameters: those of the filter, 1 to 6; the thresholds of silver and gold; the cursor's time and id; limit and offset. */
export const LIST = listOf(`customers c where ${AFTER}`);

/** The same out of the next customers. */
export const LIST_NEAR = listOf(`(
  select c.* from customers c where c.tenant_id = $1 and ${AFTER} ${NEWEST_FIRST} limit ${NEAR}) c where true`);
/** The same out of those with the ids of $13. */
export const LIST_OF_FOUND = listOf(`customers c where c.id = any ($13::text[]) and ${AFTER}`);

// Of customers whose orders did not change since their totals were made, the totals tell the tier: few are found by them, many on
// the way. Of the others, who are never many, the orders are summed up.
const SETTLED = `customer_totals t join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id
  where t.tenant_id = $1 and ($7::numeric is null or t.total_key > ${totalKey('$7')})
    and ($8::numeric is null or t.total_key <= ${totalKey('$8')})
    and t.customer_id not in (select d.customer_id from customer_total_changes d where d.tenant_id = $1)`;
const CHANGED = `customers c cross join ${SPENT} where ${IN_TIER}
  and c.id in (select d.customer_id from customer_total_changes d where d.tenant_id = $1)`;

/** Said like this, the database expects that half of all fit, and goes through them in order: of patterns and arrays it guesses that few do. */
const ON_WAY = `case when ${FILTERED} then true else false end`;
const settledPage = (more: string): string => `
  (select c.* from ${SETTLED} and ($9::timestamptz is null or (t.created_at, t.customer_id) < ($9, $10::text)) and ${more}
    order by t.created_at desc, t.customer_id desc limit $11::int + $12::int)`;
const changedPage = `(select c.* from ${CHANGED} and ${AFTER} and ${FILTERED})`;

/** Fewer of a tier are few: whichever they are, a page is found among them at once. */
export const FEW_OF_TIER = 100;
/** Some whose totals are in a range. By the index of sums, whatever else looks as if it came sooner. */
const someOfTier = ([tenant, above, upTo, most]: readonly [string, string, string, string | number]): string => `
  select t.customer_id as id from customer_totals t
  where t.tenant_id = ${tenant} and (${above}::numeric is null or t.total_key > ${totalKey(above)})
    and (${upTo}::numeric is null or t.total_key <= ${totalKey(upTo)})
  order by t.total_key limit ${most}`;
export const SOME_OF_TIER = someOfTier(['$1', '$2', '$3', '$4::int']);

// How many are of the tier, the database only guesses, and where it guesses that they are not the last on the way, it goes through all.
const listOfTier = (filtered: string): string =>
  listOf(
    `(
    with few as materialized (${someOfTier(['$1', '$7', '$8', FEW_OF_TIER])}),
    all_of as materialized (select count(*) < ${FEW_OF_TIER} as them from few)
    ${settledPage(`(select them from all_of) and t.customer_id in (select id from few) and ${FILTERED}`)}
    union all ${settledPage(`not (select them from all_of) and ${filtered}`)}
    union all ${changedPage}) c where true`,
    [13, 14],
  );

/** The same of a tier: the range of what was spent in place of the thresholds, and these as $13 and $14. */
export const LIST_OF_TIER = listOfTier(FILTERED);
/** The same where many have what else is asked for. */
export const LIST_OF_TIER_ON_WAY = listOfTier(ON_WAY);
/** The same out of those with the ids of $15, besides those whose orders changed. */
export const LIST_OF_FOUND_OF_TIER = listOf(
  `(${settledPage(`t.customer_id = any ($15::text[]) and ${FILTERED}`)} union all ${changedPage}) c where true`,
  [13, 14],
);
/** The same out of the next customers. */
export const LIST_OF_TIER_NEAR = listOf(
  `(select c.* from (select c.* from customers c where c.tenant_id = $1 and ${AFTER} ${NEWEST_FIRST} limit ${NEAR}) c
    cross join ${SPENT} where ${IN_TIER} and ${FILTERED}) c where true`,
  [13, 14],
);

/** Parameters: those of the filter, and the cap. */
export const COUNT = `select count(*)::int as count from (select from customers c where ${FILTERED} limit $7) t`;
// Where as many are found as are counted at most, counting all of them on the way comes to its end sooner.
const countOf = (sought: string): string => `
  with sought as materialized (select id from ${sought}),
  found as materialized (select count(*) < $7 as rare from sought)
  select found.rare, (
    select count(*)::int from customers c where found.rare and c.id in (select id from sought) and ${FILTERED}) as count
  from found`;

const countOfTier = (settled: string): string => `
  select count(*)::int as count from (
    (select from ${settled}) union all (select from ${CHANGED} and ${FILTERED}) limit $9) t`;
/** Parameters: those of the filter, the range of what was spent, and the cap. */
export const COUNT_OF_TIER = countOfTier(`${SETTLED} and ${FILTERED}`);
/** The same out of those with the ids of $10, besides those whose orders changed. */
export const COUNT_OF_FOUND_OF_TIER = countOfTier(`${SETTLED} and t.customer_id = any ($10::text[]) and ${FILTERED}`);

/** How an index is asked for some, and how these are counted, up to a cap; where it finds as many, `rare` is false. */
export interface Index {
  list: string;
  count: string;
}
export const TAGGED: Index = {
  list: `select id from customers_tagged($1::text, $2::int)`,
  count: countOf('customers_tagged($6::text, $7::int)'),
};
export const NAMED: Index = {
  list: `select id from customers_like($1::text, $2::int)`,
  count: countOf('customers_like($5::text, $7::int)'),
};

// Every customer is looked at once, however few belong to it, and no statement at more than a portion of them.
export const AUDIENCE = `
  with portion as materialized (
    select c.* from customers c where c.tenant_id = $1 and ($2::text is null or c.id > $2) order by c.id limit ${PORTION}),
  members as (
    select c.id, c.phone, c.name, c.email, c.tier, ${tierOf(3, 4)} as vip_tier from portion c cross join ${SPENT}
    where c.phone is not null and c.anonymised_at is null and ($5::text is null or c.tier = $5)
      and ($6::text[] is null or c.tags @> $6))
  select l.last, m.* from (select max(id) as last from portion) l
    left join members m on $7::text is null or m.vip_tier = $7 order by m.id`;
