import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayRoutesRepository } from '../../src/modules/gateway/routes/gateway-routes.repository';
import { RouteDirectory } from '../../src/modules/gateway/routes/route-directory.service';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import { EventBus } from '../../src/platform/events/domain-events';
import { Rounds } from '../support/rounds';
import { startTestApp, type TestApp } from '../support/running-app';

/** Routes of one answer of the database (gateway-routes.repository.ts). */
const PAGE = 500;

describe('a table of many routes', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });

  afterAll(() => app.close());
  afterEach(() => jest.restoreAllMocks());

  /** A tenant with exact routes /0, /1 …, of which each had its change. */
  async function tenantWith(count: number): Promise<string> {
    const tenantId = await app.make.tenant();
    await app.owner.query(
      `insert into gateway_routes (tenant_id, id, path, path_type, upstreams, strategy, timeout_ms, headers)
        select $1, gen_random_uuid(), '/' || n, 'exact', '[{"url":"https://1.1.1.1","weight":1}]', 'first', 1000,
          '{"set":{},"remove":[]}' from generate_series(0, $2::int - 1) n`,
      [tenantId, count],
    );
    await app.owner.query(`insert into gateway_tables (tenant_id, version) values ($1, $2)`, [tenantId, count + 1]);
    return tenantId;
  }

  const change = (tenantId: string) =>
    app.owner.query(
      `with bumped as (update gateway_tables set version = version + 1 where tenant_id = $1)
        update gateway_routes set rewrite = '/changed' where tenant_id = $1`,
      [tenantId],
    );

  it.each([0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])('is read whole, with its version: %i of them', async (count) => {
    const tenantId = await tenantWith(count);
    const { version, rows } = await app.app.get(GatewayRoutesRepository).load(tenantId);
    expect([version, rows.length, new Set(rows.map(({ path }) => path)).size]).toEqual([count + 1, count, count]);
    expect(rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).sort());
  });

  it('is of one moment, whatever is changed while it is being read', async () => {
    const tenantId = await tenantWith(3 * PAGE);
    const database = app.app.get(TenantDatabase);
    const original = database.snapshot.bind(database);
    jest.spyOn(database, 'snapshot').mockImplementation((tenant, work) =>
      original(tenant, (tx) =>
        work({
          ...tx,
          query: async (...asked) => {
            const page = await tx.query<never>(...asked);
            await change(tenantId); // after each page
            return page;
          },
        }),
      ),
    );
    const { version, rows } = await app.app.get(GatewayRoutesRepository).load(tenantId);
    expect([version, rows.length]).toEqual([3 * PAGE + 1, 3 * PAGE]);
    expect(rows.filter(({ rewrite }) => rewrite !== null)).toEqual([]);
  });

  it('is made once for all who wait, while all else goes on, and not kept where it is outdated when it is done', async () => {
    const tenantId = await tenantWith(3 * PAGE);
    const [directory, repository] = [app.app.get(RouteDirectory), app.app.get(GatewayRoutesRepository)];
    const load = repository.load.bind(repository);
    const rounds = new Rounds();
    let readAfter = Infinity;
    const reading = jest.spyOn(repository, 'load').mockImplementation(async (tenant) => {
      const set = await load(tenant);
      readAfter = rounds.count;
      return set;
    });
    let nowMs = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 0.01)); // so that a hundred routes take a millisecond
    let made = false;
    const waiting = Promise.all(Array.from({ length: 10 }, async () => directory.of(tenantId)));
    void waiting.then(() => (made = true));
    while (rounds.count < readAfter + 2) await new Promise(setImmediate);
    expect(made).toBe(false); // it is being made now
    app.app.get(EventBus).committed('gateway.changed', { tenantId });
    const tables = await waiting;
    rounds.stop();
    expect([new Set(tables).size, reading.mock.calls.length]).toEqual([1, 1]);
    await change(tenantId);
    const matches = [...tables, await directory.of(tenantId)].map(async (table) => table.match('GET', 'h', '/7'));
    const targets = (await Promise.all(matches)).map((match) => match?.path);
    expect(targets).toEqual([...Array<string>(10).fill('/7'), '/changed']);
    expect(reading).toHaveBeenCalledTimes(2);
  });

  it('is read by one load at a time however often it changes, and each request gets one that has its change', async () => {
    const tenantId = await tenantWith(3 * PAGE);
    const [directory, repository] = [app.app.get(RouteDirectory), app.app.get(GatewayRoutesRepository)];
    const load = repository.load.bind(repository);
    let [running, most] = [0, 0];
    const reading = jest.spyOn(repository, 'load').mockImplementation(async (tenant) => {
      most = Math.max(most, (running += 1));
      const set = await load(tenant);
      await sleep(200);
      running -= 1;
      return set;
    });
    const changeTo = (target: string) => () =>
      app.owner.query(
        `with bumped as (update gateway_tables set version = version + 1 where tenant_id = $1)
          update gateway_routes set rewrite = $2 where tenant_id = $1 and path = '/7'`,
        [tenantId, target],
      );
    const numberIn = async () => {
      const match = await (await directory.of(tenantId)).match('GET', 'h', '/7');
      return Number(match?.path.slice(1));
    };
    const answers: Promise<{ made: number; seen: number }>[] = [];
    const want = async (made: number) => ({ made, seen: await numberIn() });
    for (let made = 101; made <= 150; made += 1) {
      await directory.changing(tenantId, changeTo(`/${made}`));
      answers.push(want(made), want(made));
    }
    expect(await numberIn()).toBe(150);
    for (const { made, seen } of await Promise.all(answers)) expect(seen).toBeGreaterThanOrEqual(made);
    expect([await numberIn(), most]).toEqual([150, 1]);
    expect(reading.mock.calls.length).toBeLessThanOrEqual(10); // 50 where each change has one of its own
  });
});
