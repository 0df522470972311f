import { newId } from '../../src/common/ids';
import { RouteDirectory } from '../../src/modules/gateway/routes/route-directory.service';
import { GatewayRoutesRepository } from '../../src/modules/gateway/routes/gateway-routes.repository';
import { RouteMemory } from '../../src/modules/gateway/routes/route-memory';
import { SealedHeaders } from '../../src/modules/gateway/routes/sealed-headers';
import { SharedRoutes } from '../../src/modules/gateway/routes/shared-routes';
import { EventBus } from '../../src/platform/events/domain-events';
import { SharedFacts } from '../../src/platform/facts/shared-facts';
import { startTestApp, type TestApp } from '../support/running-app';

const TENANTS = 24;
const ROUTES = 30;
const ROUNDS = 12;
/** A value of a header, which makes a table large. */
const LARGE = 4_000;

describe('a process that may hold fewer tables of routes than are asked for', () => {
  let app: TestApp;
  const tenants: string[] = [];

  beforeAll(async () => {
    app = await startTestApp();
    for (let n = 0; n < TENANTS; n += 1) tenants.push(await newTenant(ROUTES, {}));
  });
  afterEach(() => jest.restoreAllMocks());

  afterAll(() => app.close());

  /** One route with a regular expression, and exact ones /2, /3 … */
  async function newTenant(count: number, set: Record<string, string>): Promise<string> {
    const tenantId = await app.make.tenant();
    const ids = Array.from({ length: count }, newId);
    const sealing = app.app.get(SealedHeaders);
    const headers = ids.map((id) => JSON.stringify(sealing.sealed(tenantId, id, { set, remove: [] })));
    await app.owner.query(
      `insert into gateway_routes (tenant_id, id, path, path_type, upstreams, strategy, timeout_ms, headers)
        select $1, id, case n when 1 then '/r/([a-z]+)' else '/' || n end, case n when 1 then 'regex' else 'exact' end,
          '[{"url":"https://1.1.1.1","weight":1}]', 'first', 1000, headers
        from unnest($2::uuid[], $3::jsonb[]) with ordinality r(id, headers, n)`,
      [tenantId, ids, headers],
    );
    await app.owner.query(`insert into gateway_tables (tenant_id, version) values ($1, 1)`, [tenantId]);
    return tenantId;
  }

  const directoryWith = (memory: RouteMemory): RouteDirectory => {
    const { app: nest } = app;
    const [routes, versions] = [nest.get(GatewayRoutesRepository), nest.get(SharedFacts)];
    return new RouteDirectory(routes, versions, nest.get(SharedRoutes), memory, nest.get(EventBus));
  };
  /** How often a directory had the table at hand, and how often not. */
  const lookUps = new Map<RouteDirectory, { hits: number; misses: number }>();

  async function ask(directory: RouteDirectory, tenantId: string, path: string): Promise<string | null> {
    const table = directory.of(tenantId);
    const counts = lookUps.get(directory) ?? { hits: 0, misses: 0 };
    lookUps.set(directory, counts);
    counts[table instanceof Promise ? 'misses' : 'hits'] += 1;
    return (await (await table).match('GET', 'h', path))?.path ?? null;
  }

  it('has most of them at hand, and finds the same', async () => {
    // Each table is 30 routes of some 830 bytes: there is room for 16.
    const directory = directoryWith(new RouteMemory({ tableBytes: 16 * 26_000, programBytes: 20_000 }));
    const nowMs = performance.now(); // and no table gets too old, however long it takes
    jest.spyOn(performance, 'now').mockReturnValue(nowMs);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const tenantId of tenants) {
        expect(await ask(directory, tenantId, '/7')).toBe('/7');
        expect(await ask(directory, tenantId, '/r/x')).toBe('/r/x');
        expect(await ask(directory, tenantId, '/none')).toBeNull();
      }
    const asked = 3 * TENANTS * ROUNDS;
    const { hits, misses } = lookUps.get(directory)!;
    expect(hits + misses).toBe(asked);
    // Had each to be made for each tenant in each round, these were a third; without the second and third of a table that is not kept, more.
    expect(hits / asked).toBeGreaterThan(0.55);
  });

  it('shows changes to the next request also of those that it does not hold', async () => {
    const directory = directoryWith(new RouteMemory({ tableBytes: 60_000, programBytes: 0 }));
    for (let round = 0; round < 4; round += 1)
      for (const tenantId of tenants.slice(0, 6)) {
        await directory.changing(tenantId, () =>
          app.owner.query(
            `with bumped as (update gateway_tables set version = version + 1 where tenant_id = $1)
              update gateway_routes set rewrite = $2 where tenant_id = $1 and path_type = 'exact'`,
            [tenantId, `/v${round}`],
          ),
        );
        expect(await ask(directory, tenantId, '/7')).toBe(`/v${round}`);
      }
  });

  it('is not given more of one tenant than several tables of it could be held', async () => {
    const large = { x: 'v'.repeat(LARGE), y: 'w'.repeat(28 * LARGE) };
    const tenantId = await newTenant(210, large); // sealed, they take some 150 KB each
    const { http } = await app.login('TENANT_ADMIN', tenantId);
    const make = (set: Record<string, string>) =>
      http.post<{ id: string }>('/gateway/routes', {
        ...{ path: `/${newId()}`, path_type: 'prefix', upstreams: [{ url: 'https://1.1.1.1' }] },
        headers: { set, remove: [] },
      });
    const values = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`x-${n}`, 'v'.repeat(LARGE)]));
    const made = await make({});
    expect(made.status).toBe(201);
    let status = 201;
    for (let n = 0; n < 20 && status === 201; n += 1) ({ status } = await make(values));
    expect(status).toBe(409);
    expect((await make(values)).outcome).toBe('409 GATEWAY_ROUTE_LIMIT');
    const change = (set: Record<string, string>) =>
      http.call('PATCH', `/gateway/routes/${made.body.id}`, { headers: { set, remove: [] } });
    expect((await change(values)).outcome).toBe('409 GATEWAY_ROUTE_LIMIT');
    expect((await change({ x: 'small' })).status).toBe(200);
    expect((await http.call('PATCH', `/gateway/routes/${made.body.id}`, { retries: 1 })).status).toBe(200);
  });

  it('goes by what routes take of memory, long values of headers included', async () => {
    const directory = directoryWith(new RouteMemory({ tableBytes: 2 * ROUTES * LARGE }));
    const large = [
      await newTenant(ROUTES, { x: 'v'.repeat(LARGE) }),
      await newTenant(ROUTES, { x: 'v'.repeat(LARGE) }),
    ];
    for (const tenantId of [large[0]!, large[1]!, large[0]!]) await ask(directory, tenantId, '/7');
    expect(lookUps.get(directory)).toEqual({ hits: 0, misses: 3 }); // there is no room for both
    const small = directoryWith(new RouteMemory({ tableBytes: 2 * ROUTES * LARGE }));
    for (const tenantId of [tenants[0]!, tenants[1]!, tenants[0]!]) await ask(small, tenantId, '/7');
    expect(lookUps.get(small)).toEqual({ hits: 1, misses: 2 });
  });
});
