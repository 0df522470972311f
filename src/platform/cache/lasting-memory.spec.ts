import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Known, LastingMemory, type LastingMemoryOptions } from './lasting-memory';

const TIMES = { ttlMs: 5_000, staleMs: 30_000, patienceMs: 40, deadlineMs: 10_000, retryMs: 1_000 };
const clock = performance.now.bind(performance);

/** Lets the memory believe that so much time has gone by, until the next such call. */
const afterMs = (ms: number) => jest.spyOn(performance, 'now').mockImplementation(() => clock() + ms);

/** A source that answers with what it is set to, when it is let. */
class Source {
  value = 'first';
  ageMs: number | undefined;
  mode: 'answers' | 'fails' | 'hangs' = 'answers';
  readonly asked: (string | undefined)[] = [];
  private readonly held: (() => void)[] = [];

  readonly load = async (_key: string, known: Known<string> | undefined): Promise<Answer<string>> => {
    this.asked.push(known?.value);
    const { mode, value, ageMs } = this;
    if (mode === 'hangs') await new Promise<void>((resolve) => this.held.push(resolve));
    if (mode === 'fails') throw new Error('away');
    return ageMs === undefined ? { value } : { value, ageMs };
  };

  letGo(): void {
    for (const go of this.held.splice(0)) go();
  }
}

describe('LastingMemory', () => {
  let source: Source;

  beforeEach(() => {
    source = new Source();
  });
  afterEach(() => jest.restoreAllMocks());

  const memoryWith = (options: Partial<LastingMemoryOptions<string>> = {}) =>
    new LastingMemory<string>({ load: source.load, max: 10, ...TIMES, servesOutdated: false, ...options });

  it('asks once for all who want a value, and then gives it without a promise as long as it is good', async () => {
    const memory = memoryWith();
    expect(memory.isNew('a')).toBe(true);
    const all = [memory.get('a'), memory.get('a')].map((answer) => Promise.resolve(answer));
    expect(memory.isNew('a')).toBe(false);
    expect(await Promise.all(all)).toEqual(['first', 'first']);
    expect([memory.get('a'), memory.isNew('a'), memory.isNew('b')]).toEqual(['first', false, true]);
    expect(source.asked).toEqual([undefined]);
    source.value = 'second';
    afterMs(TIMES.ttlMs - 100);
    expect(memory.get('a')).toBe('first');
    afterMs(TIMES.ttlMs);
    expect(await memory.get('a')).toBe('second');
    expect(source.asked).toEqual([undefined, 'first']);
  });

  it('takes what was old when it was asked for as that old', async () => {
    const memory = memoryWith();
    source.ageMs = 4_000;
    await memory.get('a');
    afterMs(900);
    expect(memory.get('a')).toBe('first');
    afterMs(1_000);
    source.value = 'second';
    expect(await memory.get('a')).toBe('second');
  });

  it('asks beside those who get the value, once, where it is told to', async () => {
    const memory = memoryWith({ refreshMs: 3_500 });
    await memory.get('a');
    source.value = 'second';
    afterMs(3_500);
    expect([memory.get('a'), memory.get('a')]).toEqual(['first', 'first']);
    expect(source.asked).toHaveLength(2);
    await new Promise(setImmediate);
    expect(memory.get('a')).toBe('second');
    source.mode = 'fails';
    afterMs(7_000);
    expect(memory.get('a')).toBe('second');
    await new Promise(setImmediate);
    expect(memory.get('a')).toBe('second'); // and asks no more for a second
    expect(source.asked).toHaveLength(3);
  });

  it('forgets the longest unused, by their number and by their weight', async () => {
    const few = memoryWith({ max: 2 });
    for (const key of ['a', 'b', 'c']) await few.get(key);
    expect(['a', 'b', 'c'].map((key) => few.isNew(key))).toEqual([true, false, false]);
    const light = memoryWith({ weight: { of: (value) => value.length, max: 12 } });
    for (const key of ['a', 'b', 'c']) await light.get(key);
    expect(['a', 'b', 'c'].map((key) => light.isNew(key))).toEqual([true, false, false]);
  });

  it('keeps what it is told to keep', async () => {
    const told: unknown[] = [];
    const keeps = (...each: [string, string]): boolean => told.push(each) > 0 && each[1] !== 'none';
    const memory = memoryWith({ keeps });
    await memory.get('a');
    afterMs(TIMES.ttlMs);
    source.value = 'none';
    expect(await memory.get('a')).toBe('none');
    expect(memory.isNew('a')).toBe(true);
    expect(told).toEqual([
      ['a', 'first'],
      ['a', 'none'],
    ]);
  });

  describe('while the source fails', () => {
    it('serves what it knows until that is too old, and does not ask for each who wants it', async () => {
      const memory = memoryWith();
      await memory.get('a');
      source.mode = 'fails';
      afterMs(6_000);
      for (let n = 0; n < 5; n += 1) expect(await memory.get('a')).toBe('first');
      expect(source.asked).toHaveLength(2);
      afterMs(7_000);
      expect(await memory.get('a')).toBe('first');
      expect(source.asked).toHaveLength(3);
      afterMs(TIMES.staleMs);
      await expect(memory.get('a')).rejects.toThrow('away');
      source.mode = 'answers';
      expect(await memory.get('a')).toBe('first');
    });

    it('tells of it where nothing is known, and keeps no failure', async () => {
      const memory = memoryWith();
      source.mode = 'fails';
      await expect(memory.get('a')).rejects.toThrow('away');
      source.mode = 'answers';
      expect(await memory.get('a')).toBe('first');
    });
  });

  describe('while the source is slow', () => {
    it('lets nobody wait for longer than patience allows, counted from the first question', async () => {
      const memory = memoryWith();
      await memory.get('a');
      Object.assign(source, { mode: 'hangs', value: 'second' });
      afterMs(6_000);
      expect(await Promise.all([memory.get('a'), memory.get('a')])).toEqual(['first', 'first']);
      expect([await memory.get('a'), source.asked.length]).toEqual(['first', 2]);
      source.letGo();
      await new Promise(setImmediate);
      expect(memory.get('a')).toBe('second');
    });

    it('lets everybody wait who has nothing, or what is too old', async () => {
      const memory = memoryWith();
      await memory.get('a');
      Object.assign(source, { mode: 'hangs', value: 'second' });
      afterMs(TIMES.staleMs);
      const answer = Promise.resolve(memory.get('a'));
      await new Promise((resolve) => setTimeout(resolve, 2 * TIMES.patienceMs));
      source.letGo();
      expect(await answer).toBe('second');
    });
  });

  describe('of which a change was heard', () => {
    it('asks anew when what was being asked for has ended, and keeps nothing of that', async () => {
      const memory = memoryWith();
      source.mode = 'hangs';
      const early = memory.get('a');
      memory.outdate('a');
      expect(memory.isNew('a')).toBe(true);
      Object.assign(source, { mode: 'answers', value: 'second' });
      const late = [memory.get('a'), memory.get('a')];
      expect([memory.isNew('a'), source.asked.length]).toEqual([false, 1]);
      source.letGo();
      expect(await Promise.all([early, ...late])).toEqual(['first', 'second', 'second']);
      expect(memory.get('a')).toBe('second');
      source.value = 'third';
      memory.outdate('a');
      expect(await memory.get('a')).toBe('third');
      expect(source.asked).toEqual([undefined, undefined, 'second']);
    });

    it('outdates what is meant, and gives up whatever is on its way', async () => {
      const memory = memoryWith();
      await memory.get('a');
      source.value = 'other';
      await memory.get('b');
      source.mode = 'hangs';
      const early = memory.get('c');
      memory.outdateAll((value) => value === 'first');
      source.mode = 'answers';
      source.value = 'new';
      const late = memory.get('c');
      expect([await memory.get('a'), memory.get('b')]).toEqual(['new', 'other']);
      source.letGo();
      expect(await Promise.all([early, late])).toEqual(['other', 'new']);
      expect(memory.get('c')).toBe('new');
    });

    it('asks one question at a time however often it changes, and gives nobody what is older than his', async () => {
      let [version, running, most] = [0, 0, 0];
      const memory = new LastingMemory<number>({
        load: async () => {
          const value = version;
          source.asked.push(String(value));
          most = Math.max(most, (running += 1));
          await sleep(40);
          running -= 1;
          return { value };
        },
        ...{ max: 10, ...TIMES, servesOutdated: true },
      });
      const answers: Promise<{ wanted: number; value: number }>[] = [];
      const want = async (wanted = version) => ({ wanted, value: await memory.get('a') });
      for (let n = 0; n < 50; n += 1) {
        version += 1;
        memory.outdate('a');
        answers.push(want(), want());
        await sleep(2);
      }
      const last = want();
      for (const { wanted, value } of await Promise.all(answers)) expect(value).toBeGreaterThanOrEqual(wanted);
      expect(await last).toEqual({ wanted: 50, value: 50 });
      expect([memory.get('a'), most]).toEqual([50, 1]);
      expect(source.asked.length).toBeLessThanOrEqual(10); // 50 where each change has one of its own
    });

    it('asks anew though what was being asked for fails', async () => {
      const memory = memoryWith();
      source.mode = 'fails';
      const early = memory.get('a');
      memory.outdate('a');
      source.mode = 'answers';
      const late = memory.get('a');
      await expect(early).rejects.toThrow('away');
      expect(await late).toBe('first');
      expect(memory.get('a')).toBe('first');
    });

    it('serves no former value, not even to those who wait already', async () => {
      const memory = memoryWith();
      await memory.get('a');
      afterMs(6_000);
      source.mode = 'fails';
      const waiting = memory.get('a');
      memory.outdate('a');
      await expect(waiting).rejects.toThrow('away');
      await expect(memory.get('a')).rejects.toThrow('away');
    });

    it('serves the former one after a failure where it may, never because the source is slow', async () => {
      const memory = memoryWith({ servesOutdated: true });
      await memory.get('a');
      memory.outdate('a');
      source.mode = 'fails';
      expect([await memory.get('a'), await memory.get('a'), source.asked.length]).toEqual(['first', 'first', 2]);
      memory.outdate('a');
      Object.assign(source, { mode: 'hangs', value: 'second' });
      const answer = Promise.resolve(memory.get('a'));
      await new Promise((resolve) => setTimeout(resolve, 2 * TIMES.patienceMs));
      source.letGo();
      expect(await answer).toBe('second');
      afterMs(TIMES.staleMs);
      source.mode = 'fails';
      memory.outdate('a');
      await expect(memory.get('a')).rejects.toThrow('away');
    });
  });
});
