import { randomBytes } from 'node:crypto';
import { FACTS_PATIENCE_MS, FactsBed, type Row } from '../../../test/support/facts-bed';
import { eventually } from '../../../test/support/wait';
import { RedisClient } from '../cache/redis';
import { SharedEpoch } from '../cache/shared-epoch';
import { SecretBox } from '../crypto/secret-box';
import { type FoundFact, SharedFacts } from './shared-facts';

const bed = new FactsBed();
let here: SharedFacts;
let there: SharedFacts;

beforeAll(() => bed.open());
beforeEach(async () => {
  [here, there] = (await bed.begin()) as [SharedFacts, SharedFacts];
});
afterEach(() => bed.end());
afterAll(() => bed.close());

describe('A shared fact', () => {
  describe('its age', () => {
    it('begins before it is read, so that it counts for 5 s with all the places in which it lies', async () => {
      const slowly = async () => {
        const seen = await bed.read();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return seen;
      };
      await bed.find(here, { read: slowly });
      expect(await bed.raw.pttl(bed.nameOf('value'))).toBeLessThanOrEqual(4_700);
      expect((await bed.find(there)).ageMs).toBeGreaterThanOrEqual(299);
    });

    it('is none that counts from 5 s on, and where the clock went back, however long Redis has it', async () => {
      // As a process would leave it whose clock, which is that of Redis, was another one.
      const kept = async (atMs: number) => {
        await bed.valueIn(here);
        const [epoch, generation] = ((await bed.raw.get(bed.nameOf('value'))) ?? '').split(' ');
        const sealed = bed.box.seal(JSON.stringify({ about: bed.about, value: { n: 9 }, atMs }), bed.nameOf('value'));
        await bed.raw.set(bed.nameOf('value'), `${epoch} ${generation} ${sealed}`, 'PX', 60_000);
        return bed.find(there);
      };
      const nowMs = Date.now(); // of this machine, as that of Redis is
      expect(await kept(nowMs - 5_001)).toEqual({ value: { n: 1 }, ageMs: 0 });
      expect(await kept(nowMs + 60_000)).toEqual({ value: { n: 1 }, ageMs: 0 });
      const found = await kept(nowMs - 1_000);
      expect(found.value).toEqual({ n: 9 });
      expect(found.ageMs).toBeGreaterThanOrEqual(1_000);
    });

    it('makes one of all read it anew who want a younger one, and the others have the older one meanwhile', async () => {
      await bed.valueIn(here);
      await new Promise((resolve) => setTimeout(resolve, 120));
      bed.source.n = 2;
      const stuck = bed.slow();
      const fresh = bed.find(here, { read: stuck.read, youngerThanMs: 100 });
      await eventually(stuck.started);
      const old = await bed.find(there, { youngerThanMs: 100 });
      expect([old.value, bed.source.reads]).toEqual([{ n: 1 }, 2]);
      expect(old.ageMs).toBeGreaterThanOrEqual(120);
      stuck.finish();
      expect((await fresh).value).toEqual({ n: 2 });
      expect([await bed.valueIn(there), bed.source.reads]).toEqual([2, 2]);
      expect((await bed.find(there, { youngerThanMs: 4_000 })).value).toEqual({ n: 2 });
      expect(bed.source.reads).toBe(2);
    });
  });

  it('keeps no error and nothing that is not there, and lets the next one ask at once', async () => {
    await expect(bed.find(here, { read: () => Promise.reject(new Error('away')) })).rejects.toThrow('away');
    bed.source.n = null;
    const begun = performance.now();
    expect([await bed.valueIn(there), await bed.valueIn(here)]).toEqual([undefined, undefined]);
    expect(performance.now() - begun).toBeLessThan(80); // nobody waited for a lease to run out
    bed.source.n = 1;
    expect(await bed.valueIn(there)).toBe(1);
  });

  it('shows nothing of itself in Redis, and believes nothing that it did not seal there', async () => {
    await bed.find(here, { read: () => Promise.resolve({ about: bed.about, value: { n: 1, word: 'a-secret' } }) });
    const text = (await bed.raw.get(bed.nameOf('value'))) ?? '';
    expect(text).not.toMatch(/secret|word/);
    const [epoch, generation, sealed = ''] = text.split(' ');
    await bed.find(here, { id: 'another' });
    const [, , others] = ((await bed.raw.get('switchboard:facts:key-1:another:value')) ?? '').split(' ');
    const forged = new SecretBox([randomBytes(32)]).seal(
      JSON.stringify({ about: bed.about, value: { n: 666 }, atMs: Date.now() }),
      bed.nameOf('value'),
    );
    const plain = JSON.stringify({ about: bed.about, value: { n: 666 }, atMs: Date.now() });
    for (const planted of [
      ...['', 'x', plain, `${epoch}`, `${epoch} ${generation}`, `${epoch} ${generation} ${plain}`],
      ...[`${epoch} ${generation} ${others}`, `${epoch} ${generation} ${forged}`],
      ...[`${epoch} another ${sealed}`, `another ${generation} ${sealed}`],
      `${epoch} ${generation} ${sealed.slice(0, -2)}AA`,
    ]) {
      await bed.raw.set(bed.nameOf('value'), planted);
      expect([planted, await bed.valueIn(there)]).toEqual([planted, 1]);
      expect([planted, (await bed.find(here)).value]).toEqual([planted, { n: 1 }]);
    }
  });

  it.each(['value', 'changes', 'generation', 'epoch', 'writers'])(
    'gives nothing that is void where Redis has lost %s of it',
    async (lost) => {
      const names: Record<string, string> = {
        ...{ value: bed.nameOf('value'), changes: 'switchboard:facts:changes', epoch: 'switchboard:fresh-epoch' },
        ...{ generation: bed.nameAbout('generation'), writers: bed.nameAbout('writers') },
      };
      const late = bed.slow();
      const early = bed.find(here, { read: late.read });
      await eventually(late.started);
      await bed.write(there, 2);
      await bed.raw.del(names[lost] ?? '');
      late.finish();
      await early;
      expect([await bed.valueIn(here), await bed.valueIn(there)]).toEqual([2, 2]);
      await bed.write(there, 3);
      await bed.raw.del(names[lost] ?? '');
      expect([await bed.valueIn(here), await bed.valueIn(there)]).toEqual([3, 3]);
    },
  );

  describe('without Redis', () => {
    it('reads of the database, at once where it is known to be away, after one wait where it is frozen', async () => {
      await bed.valueIn(here);
      await bed.server.kill();
      await eventually(() => bed.replicas.every(({ client }) => client.state === 'away'));
      const begun = performance.now();
      expect([await bed.valueIn(here), await bed.valueIn(there), bed.source.reads]).toEqual([1, 1, 3]);
      expect(performance.now() - begun).toBeLessThan(200);
      await bed.server.restart();
      await bed.areUp();
      bed.server.pause();
      try {
        const frozen = performance.now();
        expect(await bed.valueIn(here)).toBe(1);
        expect(performance.now() - frozen).toBeLessThan(2 * FACTS_PATIENCE_MS);
        expect(await bed.valueIn(here)).toBe(1);
      } finally {
        bed.server.resume();
      }
      await bed.areUp();
    });

    it('believes nothing of a Redis that was away: it may have missed changes, of processes that are gone by now, too', async () => {
      await bed.valueIn(here);
      bed.server.pause();
      try {
        await bed.write(here, 2);
        expect(await bed.valueIn(here)).toBe(2);
        bed.replicas[0]?.epoch.close(); // as a process that dies before Redis is back
        expect(await bed.valueIn(there)).toBe(2);
      } finally {
        bed.server.resume();
      }
      await bed.areUp();
      expect([await bed.valueIn(there), await bed.valueIn(there)]).toEqual([2, 2]);
    });

    it('tells the others of a change that it could not tell of, as soon as it can', async () => {
      await bed.valueIn(there);
      const lonely = await bed.replica(false); // has no connection yet
      expect(lonely.client.state).toBe('away');
      await bed.write(lonely.facts, 2);
      await eventually(async () => (await bed.valueIn(there)) === 2, { timeoutMs: 1_000 });
      // And its end is told, too: facts are kept again.
      await eventually(async () => {
        const before = bed.source.reads;
        await bed.valueIn(there);
        return bed.source.reads === before;
      });
    });

    it('is the database alone where there is no REDIS_URL', async () => {
      const client = new RedisClient({ url: undefined, name: 'off' });
      const facts = new SharedFacts(client, new SharedEpoch(client), bed.box);
      const found: FoundFact<Row>[] = [await bed.find(facts), await bed.find(facts)];
      expect([found, bed.source.reads]).toEqual([Array(2).fill({ value: { n: 1 }, ageMs: 0 }), 2]);
      expect(await facts.changing(bed.about, () => Promise.resolve('done'))).toBe('done');
    });
  });
});
