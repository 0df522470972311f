import { tableRoute } from '../../../../test/support/gateway-routes';
import { roundsWhile } from '../../../../test/support/rounds';
import { eventually } from '../../../../test/support/wait';
import { LastingMemory } from '../../../platform/cache/lasting-memory';
import type { GatewayRoute } from '../gateway-route';
import { PatternPrograms } from './pattern-programs';
import { RouteMemory } from './route-memory';
import { PatternError, RoutePattern } from './route-pattern';
import { MatchTable } from './route-table';

const ROUNDS = 40;
const patternOf = (n: number): string => `/shop${n}/(\\d+)`;
const sizeOf = (text: string): number => new RoutePattern(text).sizeBytes;
/** The same for every run. */
function chance(): () => number {
  let seed = 1;
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('PatternPrograms', () => {
  const MAX = 50;
  const room = (count: number) => new PatternPrograms(count * sizeOf(patternOf(100)), chance());
  const texts = (count: number) => Array.from({ length: count }, (_, n) => patternOf(100 + n));

  it('compile an expression once for all routes that have it, and refuse what is none', () => {
    const programs = room(MAX);
    expect(programs.known('/a(b|c)').pattern).toBeNull();
    const compiled = programs.of('/a(b|c)');
    expect(programs.of(['/a', '(b|c)'].join(''))).toBe(compiled);
    expect(programs.known('/a(b|c)').pattern).toBe(compiled);
    expect(() => programs.of('(')).toThrow(PatternError);
  });

  it('hold no more than they may, by what each takes', () => {
    const programs = room(MAX);
    for (const text of [...texts(200), '/\\pL{20}', ...texts(200), `/${'x'.repeat(200)}`]) {
      programs.of(text);
      expect(programs.sizeBytes).toBeLessThanOrEqual(MAX * sizeOf(patternOf(100)));
    }
    const held = [...texts(200), '/\\pL{20}', `/${'x'.repeat(200)}`].filter((text) => programs.known(text).pattern);
    expect(programs.sizeBytes).toBe(held.reduce((sum, text) => sum + sizeOf(text), 0));
    expect(held.length).toBeGreaterThan(MAX / 2);
    const tiny = new PatternPrograms(10);
    tiny.of('/a');
    expect([tiny.sizeBytes, tiny.known('/a')]).toEqual([0, { pattern: null }]);
  });

  it('let go of what had to give way, for those too who remember it', () => {
    const programs = room(2);
    const remembered = texts(40).map((text) => {
      programs.of(text);
      return { text, program: programs.known(text) };
    });
    const held = remembered.filter(({ program }) => program.pattern !== null);
    expect(held.length).toBeLessThanOrEqual(2);
    for (const { text, program } of held) expect(programs.known(text)).toBe(program);
  });

  it.each([
    [0.9, 1],
    [1.1, 0.8],
    [1.5, 0.5],
    [2, 0.35],
    [4, 0.12],
  ])('find, of %d times as many as there is room for and asked for in turn, at least %d', (times, least) => {
    const programs = room(MAX);
    const asked = texts(MAX * times);
    let found = 0;
    for (let round = -ROUNDS; round < ROUNDS; round += 1)
      for (const text of asked) {
        if (round >= 0 && programs.known(text).pattern) found += 1;
        programs.of(text);
      }
    expect(found / (ROUNDS * asked.length)).toBeGreaterThanOrEqual(least);
  });
});

describe('a table whose compiled expressions are not held', () => {
  const COUNT = 40;
  const patterns = Array.from({ length: COUNT }, (_, n) =>
    tableRoute({ pathType: 'regex', path: `/r/[a-z]*${n}/(.*)`, rewrite: '/x/$1', priority: -n }),
  );
  const others = [tableRoute({ path: '/r/7', pathType: 'exact' }), tableRoute({ path: '/p' })];
  const apart = tableRoute({ pathType: 'regex', path: '/elsewhere/(.*)', methods: ['GET'] });
  const tableOf = (memory: RouteMemory, routes: GatewayRoute[] = [...patterns, apart, ...others]) =>
    MatchTable.of(routes, memory);

  it('finds what it finds with them, and waits for nothing where no expression has to be asked', async () => {
    const [without, withAll] = [await tableOf(new RouteMemory({ programBytes: 0 })), await tableOf(new RouteMemory())];
    for (const path of ['/r/a7/b', '/r/39/b', '/r/q/b', '/elsewhere/1', '/r/', '/r/7/..']) {
      const later = without.match('GET', 'h', path);
      expect([path, later instanceof Promise]).toEqual([path, true]);
      const found = withAll.match('GET', 'h', path);
      expect(found).not.toBeInstanceOf(Promise);
      expect(await later).toEqual(found);
    }
    expect(await without.match('GET', 'h', '/r/a7/b')).toMatchObject({ route: { id: patterns[7]?.id }, path: '/x/b' });
    for (const [method, path, id] of [
      ...([['GET', '/r/7', others[0]?.id] as const, ['GET', '/p/x', others[1]?.id] as const] as const),
      ...([['POST', '/elsewhere/1', undefined] as const, ['GET', '/none', undefined] as const] as const),
    ]) {
      const match = without.match(method, 'h', path);
      expect(match).not.toBeInstanceOf(Promise);
      expect((await match)?.route.id).toBe(id);
    }
  });

  it('has those compiled alone that have to be asked, in turns with all else that goes on', async () => {
    const memory = new RouteMemory({ programBytes: 0 });
    const table = await tableOf(memory);
    const compiling = jest.spyOn(memory.programs, 'of');
    await table.match('GET', 'h', '/elsewhere/1');
    await table.match('GET', 'h', '/r/2/x');
    expect(compiling.mock.calls.flat()).toEqual(['/elsewhere/(.*)', ...[0, 1, 2].map((n) => patterns[n]?.path)]);
    const rounds = await roundsWhile(async () => expect(await table.match('GET', 'h', '/r/none/x')).toBeNull());
    expect(rounds).toBeGreaterThan(5);
  });

  it('has an expression compiled once for all that wait for it, and again for who comes later', async () => {
    const memory = new RouteMemory({ programBytes: 0 });
    const table = await tableOf(memory);
    const compiling = jest.spyOn(memory.programs, 'of');
    const found = await Promise.all(Array.from({ length: 1_000 }, async () => table.match('GET', 'h', '/r/2/x')));
    expect(new Set(found.map((match) => match?.path))).toEqual(new Set(['/x/x']));
    expect(compiling.mock.calls.flat()).toEqual([0, 1, 2].map((n) => patterns[n]?.path));
    await table.match('GET', 'h', '/r/0/x');
    expect(compiling).toHaveBeenCalledTimes(4);
  });

  it('has nothing compiled any more for who has gone', async () => {
    const memory = new RouteMemory({ programBytes: 0 });
    const table = await tableOf(memory);
    const asker = { isOver: false };
    const compiling = jest.spyOn(memory.programs, 'of');
    const match = table.match('GET', 'h', '/r/none/x', asker);
    asker.isOver = true;
    expect(await match).toBeNull();
    expect(compiling).toHaveBeenCalledTimes(1);
  });

  it('is made without compiling what is held of the one before it', async () => {
    const memory = new RouteMemory();
    await tableOf(memory);
    const before = memory.programs.sizeBytes;
    const { pattern: known } = memory.programs.known(apart.path);
    const changed = [...patterns, apart, tableRoute({ pathType: 'regex', path: '/new/(.*)' })];
    await tableOf(memory, changed);
    expect(memory.programs.known(apart.path).pattern).toBe(known);
    expect(memory.programs.sizeBytes).toBe(before + sizeOf('/new/(.*)'));
  });
});

describe('RouteMemory', () => {
  const SIZE = 1_000;
  const MAX = 40;

  /** Tables of one size each, as the directory keeps them. @returns the share that was held when it was asked for */
  async function sharesHeld(tenants: number, memory: RouteMemory | null): Promise<number> {
    const tables = new LastingMemory<{ isKept: boolean }>({
      load: (tenantId, known) =>
        Promise.resolve({ value: { isKept: !memory || known !== undefined || memory.mayEnter(tenantId) } }),
      ...{ max: 10_000, weight: { of: () => SIZE, max: MAX * SIZE } },
      keeps: (tenantId, { isKept }) => {
        if (isKept) memory?.entered(tenantId);
        return isKept;
      },
      ...{ ttlMs: 1e9, staleMs: 1e9, servesOutdated: true, patienceMs: 1, deadlineMs: 1e9, retryMs: 1 },
    });
    const held = async (rounds: number): Promise<number> => {
      let count = 0;
      for (let round = 0; round < rounds; round += 1)
        for (let n = 0; n < tenants; n += 1) {
          const table = tables.get(`tenant ${n}`);
          if (table instanceof Promise) await table;
          else count += 1;
        }
      return count;
    };
    await held(ROUNDS);
    return (await held(ROUNDS)) / (ROUNDS * Math.ceil(tenants));
  }

  it.each([
    [MAX, 1],
    [MAX * 1.1, 0.8],
    [MAX * 1.5, 0.5],
    [MAX * 2, 0.33],
    [MAX * 4, 0.08],
  ])(
    'lets, of %d tables where there is room for 40, at least a part of %d be there when it is asked for',
    async (...[count, least]) => {
      expect(await sharesHeld(count, new RouteMemory({}, chance()))).toBeGreaterThanOrEqual(least);
      if (count > MAX) expect(await sharesHeld(count, null)).toBe(0); // without it the longest unused goes, each time
    },
  );

  it('lets every table in that was not held lately', async () => {
    const memory = new RouteMemory({}, () => 0.99);
    expect(memory.mayEnter('a')).toBe(true);
    memory.entered('a');
    expect([memory.mayEnter('a'), memory.mayEnter('b')]).toEqual([false, true]);
    const clock = performance.now.bind(performance);
    const later = jest.spyOn(performance, 'now').mockImplementation(() => clock() + 61_000);
    await eventually(() => memory.mayEnter('a'));
    later.mockRestore();
  });
});
