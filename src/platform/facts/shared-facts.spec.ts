import { FactsBed } from '../../../test/support/facts-bed';
import { eventually } from '../../../test/support/wait';
import type { RedisClient } from '../cache/redis';
import type { SharedFacts } from './shared-facts';

const bed = new FactsBed();
let here: SharedFacts;
let there: SharedFacts;

beforeAll(() => bed.open());
beforeEach(async () => {
  [here, there] = (await bed.begin()) as [SharedFacts, SharedFacts];
});
afterEach(() => bed.end());
afterAll(() => bed.close());

describe('SharedFacts, in several processes with one Redis', () => {
  it('reads once what one has read, and tells how old it is', async () => {
    expect(await bed.find(here)).toEqual({ value: { n: 1 }, ageMs: 0 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const found = await bed.find(there);
    expect([found.value, bed.source.reads]).toEqual([{ n: 1 }, 1]);
    expect(found.ageMs).toBeGreaterThanOrEqual(50);
    expect(found.ageMs).toBeLessThan(5_000);
    expect([here.counts.key, there.counts.key]).toEqual([
      { hits: 0, misses: 1 },
      { hits: 1, misses: 0 },
    ]);
  });

  it('reads once for all processes that miss it at once, and once more for all after a change', async () => {
    const all = [here, there];
    while (all.length < 6) all.push((await bed.replica()).facts);
    const unhurried = async () => {
      const seen = await bed.read();
      await new Promise((resolve) => setTimeout(resolve, 30));
      return seen;
    };
    const everywhere = () =>
      Promise.all(all.map(async (facts) => (await bed.find(facts, { read: unhurried })).value?.n));
    expect([await everywhere(), bed.source.reads]).toEqual([[1, 1, 1, 1, 1, 1], 1]);
    await bed.write(there, 2);
    expect([await everywhere(), bed.source.reads]).toEqual([[2, 2, 2, 2, 2, 2], 2]);
  });

  it('does not let one that is slow, or has died, keep the others waiting', async () => {
    const stuck = bed.slow();
    const first = bed.find(here, { read: stuck.read });
    await eventually(stuck.started);
    const begun = performance.now();
    expect(await bed.valueIn(there)).toBe(1);
    expect(performance.now() - begun).toBeLessThan(2_000);
    stuck.finish();
    expect((await first).value).toEqual({ n: 1 });
  });

  it('keeps nobody waiting for longer where Redis is slow as well', async () => {
    const stuck = bed.slow();
    const first = bed.find(here, { read: stuck.read });
    await eventually(stuck.started);
    const client = bed.replicas[1]?.client as RedisClient;
    const use = client.use.bind(client);
    const spy = jest.spyOn(client, 'use').mockImplementation(async (work) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return use(work);
    });
    expect(await bed.valueIn(there)).toBe(1);
    expect(spy.mock.calls.length).toBeLessThan(12); // 50 looks otherwise
    spy.mockRestore();
    stuck.finish();
    await first;
  });

  it('gives nothing that was read before a change from its end on, wherever it was read, kept and changed', async () => {
    for (const [reader, writer] of [
      [here, there],
      [here, here],
    ] as const) {
      await bed.raw.del(bed.nameOf('value')); // void, and yet there
      const late = bed.slow();
      const early = bed.find(reader, { read: late.read });
      await eventually(late.started);
      const next = (bed.source.n ?? 0) + 1;
      await bed.write(writer, next); // published: what was read is given to Redis only now
      late.finish();
      expect((await early).value).toEqual({ n: next - 1 });
      expect(await bed.raw.exists(bed.nameOf('value'))).toBe(0);
      expect([await bed.valueIn(there), await bed.valueIn(here)]).toEqual([next, next]);
      await bed.write(here, next + 1);
    }
  });

  it('does not keep what was read while anything else was changed: whose it is, is known only once it is read', async () => {
    const late = bed.slow();
    const early = bed.find(here, { read: late.read });
    await eventually(late.started);
    await there.changing('access:somebody else', () => Promise.resolve());
    late.finish();
    await early;
    expect(await bed.raw.exists(bed.nameOf('value'))).toBe(0);
    await bed.valueIn(here);
    await there.changing('access:somebody else', () => Promise.resolve());
    expect([await bed.valueIn(there), bed.source.reads]).toEqual([1, 2]); // and voids nothing of it
  });

  it('makes all void that is about the same, and nothing else', async () => {
    const ids = ['one', 'two'].map((name) => `${bed.id}-${name}`);
    for (const each of ids) await bed.find(here, { id: each });
    const other = {
      id: `${bed.id}-other`,
      read: () => Promise.resolve({ about: `${bed.about}-other`, value: { n: 7 } }),
    };
    await bed.find(here, other);
    await bed.write(there, 2);
    for (const each of ids) expect((await bed.find(there, { id: each })).value).toEqual({ n: 2 });
    expect((await bed.find(there, { ...other, read: () => Promise.reject(new Error('asked')) })).value).toEqual({
      n: 7,
    });
  });

  it('keeps nothing while somebody is changing it, so that a writer that dies after its commit leaves nothing stale', async () => {
    await bed.valueIn(here);
    let commit: (() => void) | undefined;
    let end: (() => void) | undefined;
    const dying = here.changing(bed.about, async () => {
      await new Promise<void>((resolve) => (commit = resolve));
      bed.source.n = null;
      await new Promise<void>((resolve) => (end = resolve)); // never ends, as far as anybody can tell
    });
    await eventually(() => commit !== undefined);
    expect([await bed.valueIn(there), await bed.valueIn(there), bed.source.reads]).toEqual([1, 1, 3]);
    // Another one's change, within: its end does not end the first one's.
    await there.changing(bed.about, () => Promise.resolve());
    expect([await bed.valueIn(there), bed.source.reads]).toEqual([1, 4]);
    commit?.();
    await eventually(() => end !== undefined);
    expect(await bed.valueIn(there)).toBeUndefined();
    const waits = await bed.raw.pttl(bed.nameAbout('writers'));
    expect(waits).toBeGreaterThan(100_000);
    expect(waits).toBeLessThanOrEqual(120_000);
    // As when the two minutes are over.
    bed.source.n = 2;
    await bed.raw.zadd(bed.nameAbout('writers'), 1, (await bed.raw.zrange(bed.nameAbout('writers'), 0, -1))[0] ?? '');
    expect([await bed.valueIn(there), await bed.valueIn(here)]).toEqual([2, 2]);
    expect(bed.source.reads).toBe(6);
    end?.();
    await dying;
  });

  it('voids also where the change failed, whose commit may have come to pass, and hands on the error', async () => {
    await bed.valueIn(here);
    const failing = here.changing(bed.about, () => {
      bed.source.n = 2;
      return Promise.reject(new Error('the answer was lost'));
    });
    await expect(failing).rejects.toThrow('the answer was lost');
    expect(await bed.valueIn(there)).toBe(2);
  });

  it('never gives what is older than the last change that has ended, however readers and writers come together', async () => {
    let ended = 1;
    const writer = async (facts: SharedFacts) => {
      for (let i = 0; i < 40; i += 1)
        await facts
          .changing(bed.about, async () => {
            await new Promise((resolve) => setImmediate(resolve));
            const mine = (bed.source.n = (bed.source.n ?? 0) + 1);
            await new Promise((resolve) => setImmediate(resolve));
            return mine;
          })
          .then((mine) => (ended = Math.max(ended, mine)));
    };
    const stale: number[] = [];
    const reader = async (facts: SharedFacts) => {
      for (let i = 0; i < 200; i += 1) {
        const least = ended;
        const n = (await bed.valueIn(facts)) ?? 0;
        if (n < least && bed.replicas.every(({ client }) => client.outages === 0)) stale.push(n);
      }
    };
    await Promise.all([writer(here), writer(there), ...[here, there, here, there].map(reader)]);
    expect([stale, bed.source.n]).toEqual([[], 81]);
    expect([await bed.valueIn(here), await bed.valueIn(there)]).toEqual([81, 81]);
  });
});
