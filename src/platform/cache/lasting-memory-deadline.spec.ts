import { LastingMemory } from './lasting-memory';

const DEADLINE_MS = 60;
const TIMES = { ttlMs: 5_000, staleMs: 30_000, patienceMs: 10_000, deadlineMs: DEADLINE_MS, retryMs: 1_000 };
const UNAVAILABLE = { code: 'DATABASE_ERROR', status: 503 };
const clock = performance.now.bind(performance);

describe('LastingMemory, while its source is silent', () => {
  let memory: LastingMemory<string>;
  let source: { value: string; isSilent: boolean; asked: number };
  /** Has the source say what it held when it was asked. */
  let letGo: () => void;

  beforeEach(async () => {
    source = { value: 'first', isSilent: false, asked: 0 };
    const load = async () => {
      const { value } = source;
      source.asked += 1;
      if (source.isSilent) await new Promise<void>((resolve) => (letGo = resolve));
      return { value };
    };
    memory = new LastingMemory({ load, max: 10, ...TIMES, servesOutdated: false });
    await memory.get('known');
    source.asked = 0;
    source.isSilent = true;
  });
  afterEach(() => jest.restoreAllMocks());

  it('lets nobody wait for longer than the deadline, and keeps nothing of what it says in the end', async () => {
    const all = [memory.get('new'), memory.get('new')].map((answer) => Promise.resolve(answer));
    for (const answer of all) await expect(answer).rejects.toMatchObject(UNAVAILABLE);
    Object.assign(source, { isSilent: false, value: 'second' });
    expect(memory.isNew('new')).toBe(true);
    expect(await memory.get('new')).toBe('second');
    letGo();
    await new Promise(setImmediate);
    expect([memory.get('new'), source.asked]).toEqual(['second', 2]);
  });

  it('lets those who came after a change wait for no more than two such questions', async () => {
    memory.outdate('known');
    const early = Promise.resolve(memory.get('known'));
    memory.outdate('known');
    const late = Promise.resolve(memory.get('known'));
    const begun = clock();
    await expect(early).rejects.toMatchObject(UNAVAILABLE);
    expect(source.asked).toBe(2);
    await expect(late).rejects.toMatchObject(UNAVAILABLE);
    expect(clock() - begun).toBeLessThan(20 * DEADLINE_MS);
    source.isSilent = false;
    expect(await memory.get('known')).toBe('first');
  });

  it('serves what it knows where that may serve, and asks again only after a pause', async () => {
    jest.spyOn(performance, 'now').mockImplementation(() => clock() + 6_000);
    expect(await memory.get('known')).toBe('first');
    expect([memory.get('known'), source.asked]).toEqual(['first', 1]);
  });
});
