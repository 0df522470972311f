import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const MIB = 1024 * 1024;
const ROWS = 40_000;
/** Some 1,300 bytes a row: 50 MiB in all. */
const DESCRIPTION_BYTES = 1_200;
const MAX_EXTRA_BYTES = 10 * MIB;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this process holds that somebody still needs: heap and buffers. */
function heldBytes(): number {
  collect();
  collect(); // what the first found dead is given back by the time of the second
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('an export of 40,000 products', () => {
  let app: TestApp;
  let manager: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    manager = await app.login('MANAGER');
    await app.owner.query(
      `insert into products (tenant_id, id, name, price, stock, description)
        select $1, 'p_' || lpad(n::text, 6, '0'), 'Name ' || n, 1.5, n, repeat('d', $2) from generate_series(1, $3::int) n`,
      [app.tenantId, DESCRIPTION_BYTES, ROWS],
    );
  }, 120_000);

  afterAll(() => app.close());

  const open = (format: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`${app.url}/products/export?format=${format}`, {
      headers: { authorization: `Bearer ${manager.http.accessToken}` },
      ...(signal ? { signal } : {}),
    });

  /** Reads it to its end; answers its length, its lines and by how much memory grew at most meanwhile. */
  const readThrough = async (format: string) => {
    const before = heldBytes();
    let [most, bytes, lines] = [before, 0, 0];
    for await (const chunk of (await open(format)).body as unknown as AsyncIterable<Uint8Array>) {
      if (Math.floor(bytes / (4 * MIB)) !== Math.floor((bytes + chunk.length) / (4 * MIB)))
        most = Math.max(most, heldBytes());
      bytes += chunk.length;
      lines += chunk.reduce((found, byte) => found + (byte === 10 ? 1 : 0), 0);
    }
    return { bytes, lines, growth: most - before };
  };

  it.each([
    ['csv', ROWS + 1],
    ['ndjson', ROWS],
  ])(
    'goes out whole as %s in memory that does not grow with it, client included',
    async (format, expected) => {
      await (await open(format)).body?.cancel(); // what is loaded at the first use is no part of it
      const { bytes, lines, growth } = await readThrough(format);
      console.log(`${(bytes / MIB).toFixed(0)} MiB of ${format}: ${(growth / MIB).toFixed(1)} MiB of further memory`);
      expect(lines).toBe(expected);
      expect(bytes).toBeGreaterThan(ROWS * DESCRIPTION_BYTES);
      expect(growth).toBeLessThan(MAX_EXTRA_BYTES);
    },
    120_000,
  );

  it('ends with a reader that goes away, and is read no further for one that stands still', async () => {
    const pools = app.app.get(DatabaseConnections);
    let taken = 0;
    const count = () => (taken += 1);
    pools.app.on('acquire', count);
    const gone = new AbortController();
    const answers = await Promise.all(Array.from({ length: 10 }, () => open('csv', gone.signal)));
    for (const { body } of answers) await body?.getReader().read();
    // Nobody reads on: what is on its way fills up, and no further portion is asked for.
    const settled = async () => {
      const before = taken;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return taken === before;
    };
    await eventually(settled, { timeoutMs: 30_000, what: 'the exports to stand still' });
    const whole = (10 * ROWS) / 100;
    expect(taken).toBeLessThan(whole / 2);
    const before = taken;
    gone.abort();
    await eventually(settled, { what: 'the exports to end' });
    expect(taken - before).toBeLessThan(30);
    expect(pools.app.waitingCount + pools.app.totalCount - pools.app.idleCount).toBe(0);
    pools.app.off('acquire', count);
  }, 120_000);
});
