import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis';
import { eventually } from '../../../test/support/wait';
import { FreshCache } from './fresh-cache';
import { FRESH_CACHE_SCRIPTS } from './fresh-cache.script';
import { RedisClient } from './redis';

const TTL_MS = 60_000;
/** A process of a busy machine may find no time for Redis' answer in 50 ms, and this is not about that. */
const PATIENCE_MS = 500;

/** The place of truth, which readers may be slow to read and writers to commit to. */
class Source {
  value = 1;
  reads = 0;

  load = async (): Promise<{ n: number }> => {
    this.reads += 1;
    const n = this.value;
    await new Promise((resolve) => setImmediate(resolve));
    return { n };
  };

  /** A read that has seen the state of now, and gives it when it is let go. */
  slow(): { load: () => Promise<{ n: number }>; started: () => boolean; finish: () => void } {
    let finish: (() => void) | undefined;
    const load = async () => {
      this.reads += 1;
      const n = this.value;
      await new Promise<void>((resolve) => (finish = resolve));
      return { n };
    };
    return { load, started: () => finish !== undefined, finish: () => finish?.() };
  }
}

describe('FreshCache, in two processes with one Redis', () => {
  let server: TestRedis;
  let raw: Redis;
  let clients: RedisClient[];
  let here: FreshCache;
  let there: FreshCache;
  let source: Source;
  let key: string;

  const settings = () => ({
    ...{ url: server.url, name: 'test', db: 1 },
    ...{ waitMs: PATIENCE_MS, scripts: FRESH_CACHE_SCRIPTS },
  });
  const newClient = async (): Promise<RedisClient> => {
    const client = new RedisClient(settings());
    await client.settled();
    clients.push(client);
    return client;
  };
  const areUp = () => eventually(() => clients.every(({ state }) => state === 'up'));

  beforeAll(async () => {
    server = await startRedis();
    raw = new Redis(`${server.url}/1`);
    raw.on('error', () => undefined);
  });

  beforeEach(async () => {
    clients = [];
    [here, there] = [new FreshCache(await newClient()), new FreshCache(await newClient())];
    source = new Source();
    key = `key-${Math.random()}`;
    for (const cache of [here, there]) await cache.get('warm', TTL_MS, source.load); // begins its epoch
    source.reads = 0;
  });

  afterEach(() => {
    for (const cache of [here, there]) cache.close();
    for (const client of clients) client.close();
  });

  afterAll(async () => {
    raw.disconnect();
    await server.stop();
  });

  const read = async (cache: FreshCache) => {
    const { value, hit } = await cache.get(key, TTL_MS, source.load);
    return [value.n, hit];
  };
  const write = (cache: FreshCache, value: number) =>
    cache.changing([key], async () => {
      await Promise.resolve();
      source.value = value;
    });

  it('shows everywhere what was read anywhere, and a change at the next reading', async () => {
    expect([await read(here), await read(there), await read(here)]).toEqual([
      ...[[1, false]],
      ...[[1, true]],
      [1, true],
    ]);
    expect(source.reads).toBe(1);
    await write(there, 2);
    expect([await read(here), await read(there)]).toEqual([
      [2, false],
      [2, true],
    ]);
    source.value = 3;
    await here.changed([key]);
    expect(await read(there)).toEqual([3, false]);
  });

  it('keeps for its time and no longer', async () => {
    await here.get(key, 30, source.load);
    expect(await raw.pttl(`switchboard:fresh:${key}:value`)).toBeLessThanOrEqual(30);
    await eventually(async () => (await there.get(key, TTL_MS, source.load)).hit === false);
  });

  it('does not keep what was read before a change, wherever it is read and changed', async () => {
    for (const [reader, writer] of [
      [here, there],
      [here, here],
    ] as const) {
      await there.changed([key]);
      const slow = source.slow();
      const reading = reader.get(key, TTL_MS, slow.load);
      await eventually(slow.started);
      const next = source.value + 1;
      await write(writer, next);
      // Nobody who asks now gets the answer of a reading that began before.
      const asking = read(reader);
      slow.finish();
      const asked = await asking;
      expect(asked).toEqual([next, false]);
      expect((await reading).value).toEqual({ n: next - 1 });
      expect(await read(there)).toEqual([next, true]);
    }
  });

  it('keeps nothing while somebody is changing, so that a writer that dies after its commit leaves nothing stale', async () => {
    await read(here);
    let commit: (() => void) | undefined;
    let dead: (() => void) | undefined;
    const dying = here.changing([key], async () => {
      await new Promise<void>((resolve) => (commit = resolve));
      source.value = 2;
      await new Promise<void>((resolve) => (dead = resolve)); // never ends, as far as anybody can tell
    });
    await eventually(() => commit !== undefined);
    expect([await read(there), await read(there)]).toEqual([
      [1, false],
      [1, false],
    ]);
    // Another one's change, within: its end does not end the first one's.
    await there.changing([key], () => Promise.resolve());
    expect([await read(there), await read(there)]).toEqual([
      [1, false],
      [1, false],
    ]);
    commit?.();
    await eventually(() => dead !== undefined);
    expect(await read(there)).toEqual([2, false]);
    const waits = await raw.pttl(`switchboard:fresh:${key}:writers`);
    expect(waits).toBeGreaterThan(100_000);
    expect(waits).toBeLessThanOrEqual(120_000);
    // As when the two minutes are over.
    await raw.zadd(
      `switchboard:fresh:${key}:writers`,
      1,
      (await raw.zrange(`switchboard:fresh:${key}:writers`, 0, -1))[0] ?? '',
    );
    expect([await read(there), await read(there)]).toEqual([
      [2, false],
      [2, true],
    ]);
    dead?.();
    await dying;
  });

  it('forgets also where the change failed, whose commit may have come to pass, and hands on the error', async () => {
    await read(here);
    const failing = here.changing([key], () => {
      source.value = 2;
      return Promise.reject(new Error('the answer was lost'));
    });
    await expect(failing).rejects.toThrow('the answer was lost');
    expect(await read(there)).toEqual([2, false]);
  });

  it('never shows an older value than the last change that has ended, however readers and writers come together', async () => {
    let ended = 1;
    const writer = async (cache: FreshCache) => {
      for (let i = 0; i < 60; i += 1)
        await cache
          .changing([key], async () => {
            await new Promise((resolve) => setImmediate(resolve));
            source.value += 1;
            const mine = source.value;
            await new Promise((resolve) => setImmediate(resolve));
            return mine;
          })
          .then((mine) => (ended = Math.max(ended, mine)));
    };
    const stale: number[] = [];
    const reader = async (cache: FreshCache) => {
      for (let i = 0; i < 300; i += 1) {
        const least = ended;
        const [n] = await read(cache);
        if (Number(n) < least && clients.every(({ outages }) => outages === 0)) stale.push(Number(n));
      }
    };
    await Promise.all([writer(here), writer(there), ...[here, there, here, there].map(reader)]);
    expect(stale).toEqual([]);
    expect(source.value).toBe(121);
    expect(await read(here)).toEqual([121, expect.any(Boolean)]);
    expect(await read(there)).toEqual([121, expect.any(Boolean)]);
  });

  it('keeps no error, and takes what it did not write for nothing', async () => {
    await expect(here.get(key, TTL_MS, () => Promise.reject(new Error('not found')))).rejects.toThrow('not found');
    await read(here);
    const epoch = await raw.get('switchboard:fresh-epoch');
    for (const planted of ['{"n":7}', `${epoch} {"n":`, `${epoch} 7`, `other {"n":7}`, '']) {
      await raw.set(`switchboard:fresh:${key}:value`, planted);
      expect(await read(there)).toEqual([1, false]);
    }
  });

  it('while Redis is frozen, shows its own changes at once and those of others within a second', async () => {
    await read(here);
    server.pause();
    try {
      await write(here, 2);
      expect(await read(here)).toEqual([2, false]);
      expect(await read(here)).toEqual([2, true]);
      await eventually(async () => (await read(there))[0] === 2);
      await write(there, 3);
      expect(await read(there)).toEqual([3, false]);
      await eventually(async () => (await read(here))[0] === 3);
    } finally {
      server.resume();
    }
    // Those who wrote meanwhile have said that they are through: it is kept again.
    await areUp();
    await eventually(async () => (await read(there))[1] === true && (await read(here))[1] === true);
    expect((await read(here))[0]).toBe(3);
  });

  it('believes nothing of a Redis that was away: it may have missed changes, of processes that are gone by now, too', async () => {
    await read(here);
    server.pause();
    await write(here, 2);
    here.close(); // as a process that dies before Redis is back
    expect((await read(there))[0]).toBe(2);
    server.resume();
    await areUp();
    expect((await read(there))[0]).toBe(2);
    expect((await read(there))[0]).toBe(2);
  });

  it('tells the others of a change that it could not tell of, without being asked', async () => {
    await read(there);
    const away = new RedisClient(settings());
    const lonely = new FreshCache(away); // has no connection yet
    clients.push(away);
    expect(away.state).toBe('away');
    await write(lonely, 2);
    await eventually(async () => (await read(there))[0] === 2);
    lonely.close();
  });

  it('begins anew in a Redis that has lost everything', async () => {
    await read(here);
    await raw.flushdb();
    source.value = 2;
    expect(await read(here)).toEqual([2, false]);
    expect(await read(there)).toEqual([2, expect.any(Boolean)]);
  });
});

describe('FreshCache without Redis', () => {
  it('keeps for a second in this process', async () => {
    const client = new RedisClient({ url: undefined, name: 'off' });
    const cache = new FreshCache(client);
    const source = new Source();
    const read = () => cache.get('a', TTL_MS, source.load);
    expect([await read(), await read()]).toEqual([
      { value: { n: 1 }, hit: false },
      { value: { n: 1 }, hit: true },
    ]);
    await cache.changing(['a'], () => Promise.resolve((source.value = 2)));
    expect(await read()).toEqual({ value: { n: 2 }, hit: false });
    source.value = 3;
    await eventually(async () => (await read()).value.n === 3);
    cache.close();
    client.close();
  });
});
