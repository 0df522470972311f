import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../src/common/ids';
import { RouteDirectory } from '../../src/modules/gateway/routes/route-directory.service';
import { SealedHeaders } from '../../src/modules/gateway/routes/sealed-headers';
import { startTestApp, type TestApp } from '../support/running-app';

/** What may be done in one go; the figure is part of what the service promises. */
const LONGEST_MS = 20;
const RUNS = 5;
/** As many as a tenant may have, and of regular expressions among them. */
const ROUTES = 10_000;
const PATTERNS = 100;

/** Time of this thread's processor: what else runs on the machine does not add to it. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The most time that one round of the event loop takes until the work is done. */
async function longestRound(work: () => Promise<unknown>): Promise<number> {
  let [longest, begun, running] = [0, cpuMs(), true];
  const look = (): void => {
    const now = cpuMs();
    longest = Math.max(longest, now - begun);
    begun = now;
    if (running) setImmediate(look);
  };
  setImmediate(look);
  await work();
  running = false;
  return longest;
}

describe('a table of as many routes as a tenant may have', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });

  afterAll(() => app.close());

  /** Every second route sets headers, which are sealed. */
  async function fullTenant(): Promise<string> {
    const tenantId = await app.make.tenant();
    const sealing = app.app.get(SealedHeaders);
    const ids = Array.from({ length: ROUTES }, newId);
    const headers = ids.map((id, n) =>
      JSON.stringify(
        sealing.sealed(tenantId, id, { set: n % 2 === 0 ? { authorization: `of ${n}` } : {}, remove: [] }),
      ),
    );
    const kinds = ids.map((_, n) => (n < PATTERNS ? 'regex' : n % 2 === 0 ? 'exact' : 'prefix'));
    const paths = kinds.map((kind, n) => (kind === 'regex' ? `/r${n}/([a-z]+)/(.*)` : `/${kind}/${n}`));
    await app.owner.query(
      `insert into gateway_routes (tenant_id, id, path, path_type, upstreams, strategy, timeout_ms, headers)
        select $1, id, path, kind, '[{"url":"https://1.1.1.1","weight":1},{"url":"https://8.8.8.8","weight":2}]', 'weighted',
          1000, headers from unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[]) r(id, path, kind, headers)`,
      [tenantId, ids, paths, kinds, headers],
    );
    return tenantId;
  }

  it(`is read and made with the event loop held for less than ${LONGEST_MS} ms at once`, async () => {
    const directory = app.app.get(RouteDirectory);
    const longest: number[] = [];
    for (let n = 0; n < RUNS; n += 1) {
      const tenantId = await fullTenant();
      await sleep(100); // what making it left behind is collected
      longest.push(await longestRound(async () => directory.of(tenantId)));
      const table = await directory.of(tenantId);
      expect((await table.match('GET', 'h', '/r7/abc/x'))?.route.headers.set).toEqual({});
      expect((await table.match('GET', 'h', '/exact/5000'))?.route.headers.set).toEqual({ authorization: 'of 5000' });
    }
    // The middle of them: in one or another the garbage of filling the tenant is collected.
    expect(longest.sort((a, b) => a - b)[Math.floor(RUNS / 2)]).toBeLessThan(LONGEST_MS);
  });
});
