import type { Client } from 'pg';
import { type CustomerFilter, CustomerListsRepository } from '../../src/modules/customers/customer-lists.repository';
import { migrate, revertLast } from '../../src/platform/database/migrate';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories } from '../support/factories';
import { PlanReader } from './plans';

/** `CUSTOMERS=100000` looks at more of them, with ten orders each. */
const CUSTOMERS = Number(process.env.CUSTOMERS ?? 6_000);
const EACH = Number(process.env.CUSTOMERS ? 10 : 3);
const GOLD = 30;
/** Neither gold nor among the next customers. */
const RARE = [101, 102, 103];
const LIMIT = 20;
const THRESHOLDS = { silver: '5000', gold: '10000' };

let db: TestDatabase;
let owner: Client;
let reader: PlanReader;
let lists: CustomerListsRepository;
let tenantId: string;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  reader = await PlanReader.open(db);
  lists = new CustomerListsRepository(reader.door);
  tenantId = await new Factories(owner).tenant();
  await fill();
}, 600_000);

afterAll(async () => {
  await reader.close();
  await owner.end();
  await db.drop();
});

/** The gold ones are the oldest: there a list finds them last. The triggers add up what comes, in portions. */
async function fill(): Promise<void> {
  await owner.query(
    `insert into customers (tenant_id, id, name, tier, tags, created_at)
      select $1, 'c' || lpad(n::text, 7, '0'), 'Customer ' || n || case when n = any ($4) then ' needle' else '' end,
        case when n % 2 = 0 then 'platinum' end, case when n <= $3::int then '{old,regular}' when n = any ($4) then '{regular,rare}' else '{regular}' end::text[],
        now() - ($2::int - n) * interval '1 s' from generate_series(1, $2::int) n`,
    [tenantId, CUSTOMERS, GOLD, RARE],
  );
  await owner.query(
    `insert into orders (tenant_id, id, customer_id, status, total, currency)
      select $1, 'o' || c || '_' || n, 'c' || lpad(c::text, 7, '0'), case when n = 1 then 'pending' else 'completed' end,
        case when c <= $4::int then 10000.0001 / $3::int + 0.0001 else (c * 7919 % 900) / $3::int end, 'EUR'
      from generate_series(1, $2::int) c cross join generate_series(1, $3::int) n order by n, c`,
    [tenantId, CUSTOMERS, EACH, GOLD],
  );
  await owner.query('vacuum analyze customers, orders, customer_totals, customer_total_changes');
}

async function pageOf(filter: CustomerFilter, page: { cursor?: string; offset?: number } = {}): Promise<string[]> {
  reader.look();
  const rows = await lists.list(tenantId, filter, THRESHOLDS, { limit: LIMIT, ...page });
  return rows.map(({ id }) => id);
}

const id = (n: number): string => `c${String(n).padStart(7, '0')}`;
const downFrom = (n: number): string[] => Array.from({ length: LIMIT + 1 }, (_, nth) => id(n - nth));
const changes = async (): Promise<number> =>
  (await owner.query('select from customer_total_changes where tenant_id = $1', [tenantId])).rowCount ?? 0;

/** Where the totals of customers whose orders are not waiting to be summed up differ from their orders. */
const DIFFERENCES = `
  select t.customer_id, t.total, s.total as spent from customer_totals t
  cross join lateral (select coalesce(sum(o.total), 0) as total from orders o
    where o.tenant_id = t.tenant_id and o.customer_id = t.customer_id and o.status in ('completed', 'pending')) s
  where t.total <> s.total and not exists (
    select from customer_total_changes d where d.tenant_id = t.tenant_id and d.customer_id = t.customer_id)`;

const differences = async (client = owner): Promise<object[]> => (await client.query<object>(DIFFERENCES)).rows;

describe('a list of customers of a tier', () => {
  it('that is rare and old reads these, and what of the orders changed just now', async () => {
    expect(await pageOf({ vip_tier: 'gold' })).toEqual(downFrom(GOLD));
    expect(reader.rowsOf('customer_totals')).toBeLessThanOrEqual(3 * GOLD);
    expect(reader.rowsOf('customers')).toBeLessThan(3 * GOLD + 2 * 64);
    expect(reader.rowsOf('orders')).toBeLessThan((LIMIT + 1 + 64) * EACH);
  });

  it('that is common reads a page', async () => {
    expect(await pageOf({ vip_tier: 'bronze' })).toEqual(downFrom(CUSTOMERS));
    expect(reader.rowsOf('customer_totals')).toBeLessThanOrEqual(2 * (LIMIT + 1 + 64));
    expect(reader.rowsOf('orders')).toBeLessThan((LIMIT + 1 + 64) * EACH);
  });

  it('that is rare and old reads these, however many the database guesses', async () => {
    // As if the sums of most were those of the few.
    await owner.query(`alter table customer_totals alter column total_key set statistics 0`);
    await owner.query('analyze customer_totals');
    expect(await pageOf({ vip_tier: 'gold' })).toEqual(downFrom(GOLD));
    expect(reader.rowsOf('customer_totals')).toBeLessThanOrEqual(3 * GOLD);
    await owner.query(`alter table customer_totals alter column total_key set statistics -1`);
    await owner.query('analyze customer_totals');
  });

  it('and of a tag that few have, or of a name, reads these', async () => {
    const rare = [...RARE].reverse().map(id);
    for (const [filter, ids] of [
      [{ vip_tier: 'bronze', tag: 'rare' }, rare],
      [{ vip_tier: 'bronze', tag: 'rare', q: '102' }, [id(102)]],
      [{ vip_tier: 'bronze', q: 'needle' }, rare],
      [{ vip_tier: 'bronze', q: 'needle', tag: 'regular' }, rare],
      [{ vip_tier: 'bronze', tag: 'rare', tier: 'platinum' }, [id(102)]],
      [{ vip_tier: 'gold', tag: 'rare' }, []],
      [{ vip_tier: 'bronze', tag: 'old' }, []],
    ] as [CustomerFilter, string[]][]) {
      expect([filter, await pageOf(filter)]).toEqual([filter, ids]);
      // The next customers are looked at, too.
      expect(reader.rowsOf('customers')).toBeLessThan(1_000 + 200);
      expect(reader.rowsOf('customer_totals')).toBeLessThan(200);
      expect(reader.rowsOf('orders')).toBeLessThan(100 * EACH);
      expect([filter, await lists.count(tenantId, filter, THRESHOLDS, 10_001)]).toEqual([filter, ids.length]);
    }
    expect(await pageOf({ vip_tier: 'bronze', tag: 'regular' })).toEqual(downFrom(CUSTOMERS));
  });

  it('that nobody has reads no orders but those that changed just now', async () => {
    expect(await pageOf({ vip_tier: 'silver' })).toEqual([]);
    expect(reader.rowsOf('orders')).toBeLessThanOrEqual(64 * EACH);
  });

  it('is counted by what they spent', async () => {
    reader.look();
    expect(await lists.count(tenantId, { vip_tier: 'gold' }, THRESHOLDS, 10_001)).toBe(GOLD);
    expect(reader.rowsOf('orders')).toBeLessThanOrEqual(64 * EACH);
    expect(await lists.count(tenantId, { vip_tier: 'bronze' }, THRESHOLDS, 50)).toBe(50);
    expect(await lists.count(tenantId, { vip_tier: 'gold', tier: 'platinum' }, THRESHOLDS, 50)).toBe(GOLD / 2);
  });

  it('knows at once of an order that is placed, cancelled or gone, whether it is summed up yet or not', async () => {
    const gold = async () => (await pageOf({ vip_tier: 'gold' })).slice(0, 2);
    const order = (total: string) =>
      owner.query(
        `insert into orders (tenant_id, id, customer_id, total, currency) values ($1, 'late', $2, $3, 'EUR')`,
        [tenantId, id(CUSTOMERS - 5), total],
      );
    for (const folds of [false, true]) {
      const settle = async (): Promise<void> => {
        if (!folds) return;
        // So many changes of somebody else, who is what she was afterwards.
        for (let n = 0; n < 64; n += 1)
          await owner.query(`update orders set total = total + $2 where tenant_id = $1 and id = 'o40_1'`, [
            tenantId,
            n % 2 === 0 ? 1 : -1,
          ]);
        expect(await changes()).toBeLessThan(64);
      };
      await order('10000');
      await settle();
      expect(await gold()).toEqual([id(CUSTOMERS - 5), id(GOLD)]);
      await owner.query(`update orders set status = 'completed' where tenant_id = $1 and id = 'late'`, [tenantId]);
      expect(await gold()).toEqual([id(CUSTOMERS - 5), id(GOLD)]);
      await owner.query(`update orders set status = 'cancelled' where tenant_id = $1 and id = 'late'`, [tenantId]);
      await settle();
      expect(await gold()).toEqual([id(GOLD), id(GOLD - 1)]);
      await owner.query(`delete from orders where tenant_id = $1 and id = 'late'`, [tenantId]);
    }
    expect(await differences()).toEqual([]);
  });

  it('adds nothing up for a change that changes no sum', async () => {
    const before = await changes();
    await owner.query(
      `update orders set status = 'completed', version = version + 1 where tenant_id = $1 and id = 'o50_1'`,
      [tenantId],
    );
    expect(await changes()).toBe(before);
  });
});

describe('a list of customers with a tag', () => {
  it('that few have reads the next customers, and then these', async () => {
    expect(await pageOf({ tag: 'rare' })).toEqual([...RARE].reverse().map(id));
    expect(reader.rowsOf('customers')).toBeLessThan(1_000 + 50);
    expect(await pageOf({ tag: 'rare' }, { offset: 2 })).toEqual([id(101)]);
    expect(await pageOf({ tag: 'nothing' })).toEqual([]);
    expect(await lists.count(tenantId, { tag: 'rare' }, THRESHOLDS, 10_001)).toBe(RARE.length);
  });

  it('that most have reads a page, and counts to the cap', async () => {
    expect(await pageOf({ tag: 'regular' })).toEqual(downFrom(CUSTOMERS));
    expect(reader.rowsOf('customers')).toBeLessThanOrEqual(LIMIT + 1);
    expect(await lists.count(tenantId, { tag: 'regular' }, THRESHOLDS, 5_001)).toBe(5_001);
    expect(await lists.count(tenantId, { tag: 'regular' }, THRESHOLDS, CUSTOMERS + 1)).toBe(CUSTOMERS);
  });

  it('is found for its own tenant alone', async () => {
    const other = await new Factories(owner).tenant();
    const found = await reader.query(other, `select * from customers_tagged('regular', 10)`, []);
    expect([found, await lists.list(other, { tag: 'regular' }, THRESHOLDS, { limit: LIMIT })]).toEqual([[], []]);
    const some = await reader.query(tenantId, `select * from customers_tagged('regular', 10)`, []);
    expect(some).toHaveLength(10);
  });
});

describe('the totals of customers', () => {
  it('are right while many order and cancel at once, none of whom waits for another', async () => {
    const work = async (worker: number): Promise<void> => {
      const client = await db.owner();
      for (let n = 0; n < 80; n += 1) {
        const customer = id(100 + ((worker * 13 + n) % 7));
        await client.query('begin');
        await client.query(
          `insert into orders (tenant_id, id, customer_id, total, currency) values ($1, $2, $3, $4, 'EUR')`,
          [tenantId, `w${worker}_${n}`, customer, n + 0.0001],
        );
        if (n % 3 === 0)
          await client.query(`update orders set status = 'cancelled' where tenant_id = $1 and id = $2`, [
            tenantId,
            `w${worker}_${n - 1}`,
          ]);
        await client.query(n % 5 === 0 ? 'rollback' : 'commit');
      }
      await client.end();
    };
    await Promise.all([0, 1, 2, 3, 4].map(work));
    expect(await differences()).toEqual([]);
    expect(await changes()).toBeLessThan(4 * 61);
  });

  it('go with their customer, and with a tenant that is deleted', async () => {
    const other = await new Factories(owner).tenant();
    await owner.query(`insert into customers (tenant_id, id, name) values ($1, 'a', 'A'), ($1, 'b', 'B')`, [other]);
    await owner.query(
      `insert into orders (tenant_id, id, customer_id, total, currency) select $1, n::text, 'a', 1, 'EUR'
        from generate_series(1, 70) n`,
      [other],
    );
    await owner.query(`delete from customers where tenant_id = $1 and id = 'b'`, [other]);
    const totals = `select customer_id, total::int from customer_totals where tenant_id = $1`;
    expect((await owner.query<object>(totals, [other])).rows).toEqual([{ customer_id: 'a', total: 70 }]);
    await owner.query('update tenants set deleted_at = now() where id = $1', [other]);
    await owner.query('delete from orders where tenant_id = $1', [other]);
    await owner.query('delete from tenants where id = $1', [other]);
    const left = `select from customer_total_changes where tenant_id = $1`;
    expect([(await owner.query(totals, [other])).rowCount, (await owner.query(left, [other])).rowCount]).toEqual([
      0, 0,
    ]);
  });

  it('begin with what is there', async () => {
    const old = await freshDatabase();
    const client = await old.owner();
    const there = async (): Promise<boolean> =>
      (await client.query<{ there: boolean }>(`select to_regclass('customer_totals') is not null as there`)).rows[0]
        ?.there ?? false;
    while (await there()) await revertLast(old.ownerUrl);
    const tenant = await new Factories(client).tenant();
    await client.query(`insert into customers (tenant_id, id, name) values ($1, 'a', 'A'), ($1, 'b', 'B')`, [tenant]);
    await client.query(
      `insert into orders (tenant_id, id, customer_id, status, total, currency)
        values ($1, '1', 'a', 'pending', 0.5, 'EUR'), ($1, '2', 'a', 'completed', 1, 'EUR'), ($1, '3', 'a', 'cancelled', 9, 'EUR')`,
      [tenant],
    );
    await migrate(old);
    const { rows } = await client.query<object>('select customer_id, total from customer_totals order by 1');
    expect(rows).toEqual([
      { customer_id: 'a', total: '1.5000' },
      { customer_id: 'b', total: '0.0000' },
    ]);
    expect(await differences(client)).toEqual([]);
    await client.end();
    await old.drop();
  });
});
