import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { GatewayRoute } from '../../src/modules/gateway/gateway-route';
import { RouteMemory, routeBytes } from '../../src/modules/gateway/routes/route-memory';
import { RoutePattern } from '../../src/modules/gateway/routes/route-pattern';
import { MatchTable } from '../../src/modules/gateway/routes/route-table';
import { tableRoute } from '../support/gateway-routes';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What was measured stays to the end: what goes meanwhile would be taken off. */
const kept: unknown[] = [];

/** What the work leaves in memory, a piece. */
async function bytesEach<T>(count: number, work: () => Promise<T> | T): Promise<{ bytes: number; held: T }> {
  const used = (): number => {
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const held = await work();
  kept.push(held);
  return { bytes: (used() - before) / count, held };
}

/** Microseconds of this thread's processor: what else runs on the machine does not add to it. */
function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

describe('what routes take of memory', () => {
  it.each<[string, (n: number) => string]>([
    ['/users7/(\\d+)/orders/([^/]+)', (n) => `/users${n}/(\\d+)/orders/([^/]+)`],
    ['/api7/(v1|v2)/.*', (n) => `/api${n}/(v1|v2)/.*`],
    ['.*x7.*=.*', (n) => `.*x${n}.*=.*`],
    ['/c7/(?:a?){50}a{50}', (n) => `/c${n}/(?:a?){50}a{50}`],
    ['/u7/\\pL{20}', (n) => `/u${n}/\\pL{20}`],
    ['(?i)/path7/[a-z]+/x', (n) => `(?i)/path${n}/[a-z]+/x`],
  ])('is counted for expressions like %s', async (_like, of) => {
    const COUNT = 200;
    const long = `/${'a'.repeat(2_047)}`;
    const make = (n: number): RoutePattern => {
      const pattern = new RoutePattern(of(n));
      for (const path of ['/', long, `${pattern.literal}${long}`.slice(0, 2_048)]) pattern.groupsOf(path);
      return pattern;
    };
    make(COUNT);
    const { bytes, held } = await bytesEach(COUNT, () => Array.from({ length: COUNT }, (_, n) => make(n)));
    const counted = held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / COUNT;
    console.log(`an expression takes ${(bytes / 1_000).toFixed(1)} KB, ${(counted / 1_000).toFixed(1)} are counted`);
    expect(bytes).toBeLessThan(1.25 * counted);
    expect(bytes).toBeGreaterThan(0.4 * counted);
  });

  it.each<[string, (n: number) => Partial<GatewayRoute>]>([
    ['little', (n) => ({ path: `/prefix/${n}` })],
    ['methods', (n) => ({ path: `/exact/${n}`, pathType: 'exact', methods: ['GET', 'POST'] })],
    ['40 methods', (n) => ({ methods: Array.from({ length: 40 }, (_, i) => `${n}-${i}`.padEnd(20, 'M')) })],
    ['a header of 4 KB', (n) => ({ path: `/h/${n}`, headers: { set: { x: `${n}`.padEnd(4_000, 'v') }, remove: [] } })],
    [
      '8 upstreams',
      (n) => ({ upstreams: Array.from({ length: 8 }, (_, i) => ({ url: `http://h${n}-${i}.test`, weight: i })) }),
    ],
  ])('is counted for routes with %s', async (_what, fields) => {
    const COUNT = 10_000;
    let counted = 0;
    const { bytes } = await bytesEach(COUNT, async () => {
      // As they come out of the database: no text is part of another's.
      const text = JSON.stringify(
        Array.from({ length: COUNT }, (_, n) => tableRoute({ path: `/p/${n}`, ...fields(n) })),
      );
      const routes = JSON.parse(text) as GatewayRoute[];
      counted = routes.reduce((sum, route) => sum + routeBytes(route), 0) / COUNT;
      return MatchTable.of(routes);
    });
    console.log(`a route takes ${Math.round(bytes)} bytes, ${Math.round(counted)} are counted`);
    expect(bytes).toBeLessThan(1.25 * counted);
    expect(bytes).toBeGreaterThan(0.4 * counted);
  });
});

describe('requests of more tenants than there is room for', () => {
  const TENANTS = 60;
  const PATTERNS = 10;
  const ROUNDS = 10;
  const pathOf = (tenant: number, n: number): string => `/t${tenant}p${n}/7/x`;
  const patternOf = (tenant: number, n: number): string => `/t${tenant}p${n}/(\\d+)/([^/]+)`;

  /** CPU time of a match, where there is room for so much of all expressions, and each is asked in turn. */
  async function costOf(share: number): Promise<number> {
    const all = Array.from({ length: TENANTS }, (_, tenant) =>
      Array.from({ length: PATTERNS }, (__, n) => tableRoute({ pathType: 'regex', path: patternOf(tenant, n) })),
    );
    const size = all.flat().reduce((sum, { path }) => sum + new RoutePattern(path).sizeBytes, 0);
    const memory = new RouteMemory({ programBytes: share * size });
    const tables: MatchTable[] = [];
    for (const routes of all) tables.push(await MatchTable.of(routes, memory));
    const ask = async (): Promise<void> => {
      for (let n = 0; n < PATTERNS; n += 1)
        for (const [tenant, table] of tables.entries())
          if ((await table.match('GET', 'h', pathOf(tenant, n))) === null) throw new Error('there is no such route');
    };
    for (let round = 0; round < ROUNDS; round += 1) await ask();
    const begun = cpuUs();
    for (let round = 0; round < ROUNDS; round += 1) await ask();
    return (cpuUs() - begun) / (ROUNDS * TENANTS * PATTERNS);
  }

  it('cost what is not there, and no more: there is no edge beyond which each request makes all anew', async () => {
    const none = await costOf(0);
    const costs: string[] = [];
    for (const [share, most] of [
      [1.05, 0.2],
      [1 / 1.1, 0.4],
      [1 / 1.5, 0.7],
      [1 / 2, 0.9],
    ] as const) {
      const cost = await costOf(share);
      costs.push(`${Math.round(cost)} µs with room for ${Math.round(share * 100)} %`);
      expect([share, cost / none < most]).toEqual([share, true]);
    }
    console.log(`a match costs ${costs.join(', ')}, ${Math.round(none)} with none`);
  });
});
