import fc from 'fast-check';
import { tableRoute } from '../../../../test/support/gateway-routes';
import { roundsWhile } from '../../../../test/support/rounds';
import type { GatewayRoute } from '../gateway-route';
import { trimmedPrefix } from './path-rules';
import { MatchTable } from './route-table';

/** The rules as the documentation says them, asked of each route in turn. */
function naively(routes: GatewayRoute[], method: string, host: string, path: string): string | null {
  const inOrder = [...routes]
    .filter((route) => route.enabled && rankOfMethod(route, method) !== null)
    .filter((route) => (route.host === null || route.host === host) && takes(route, path))
    .sort((a, b) => compare(keyOf(a, method), keyOf(b, method)));
  return inOrder[0]?.id ?? null;
}

function takes({ path: own, pathType }: GatewayRoute, path: string): boolean {
  if (pathType === 'exact') return own === path;
  if (pathType === 'regex') return new RegExp(`^(?:${own})$`).test(path);
  return own === '/' || path === own || path.startsWith(`${own}/`);
}

function rankOfMethod({ methods }: GatewayRoute, method: string): number | null {
  if (methods === null) return 2;
  if (methods.includes(method)) return 0;
  return method === 'HEAD' && methods.includes('GET') ? 1 : null;
}

/** What is smaller comes first. Of regular expressions no path is longer than another's. */
const keyOf = (route: GatewayRoute, method: string): (number | string)[] => {
  const byHost = route.host === null ? 1 : 0;
  if (route.pathType === 'regex') return [2, 0, -route.priority, byHost, 0, route.id];
  const kind = route.pathType === 'exact' ? 0 : 1;
  return [kind, -route.path.length, 0, byHost, rankOfMethod(route, method) ?? 0, route.id];
};

function compare(a: (number | string)[], b: (number | string)[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}

const segment = fc.constantFrom('a', 'b', 'ab', 'a.b', '%41');
const somePath = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
const asked = fc.tuple(somePath, fc.constantFrom('', '', '/')).map(([path, end]) => (path === '/' ? path : path + end));
const somePattern = fc.constantFrom(
  ...['/a/.*', '/a', '(?:/a)+', '/(a|b)/[^/]+', '.*', '/ab.*|/b', '^/a/b', '/a\\.b/.*', '/a/(b|ab)', '.*b$', '/a?/.*'],
);
const someMethod = fc.constantFrom('GET', 'HEAD', 'POST');
const someHost = fc.constantFrom(null, null, 'one.example', 'two.example');

const someRoute: fc.Arbitrary<GatewayRoute> = fc
  .record({
    pathType: fc.constantFrom('exact', 'prefix', 'prefix', 'regex'),
    plain: somePath,
    pattern: somePattern,
    methods: fc.option(fc.uniqueArray(someMethod, { minLength: 1 })),
    host: someHost,
    priority: fc.integer({ min: 0, max: 2 }),
    enabled: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  })
  .map(({ plain, pattern, pathType, ...rest }) => {
    const path = pathType === 'regex' ? pattern : pathType === 'prefix' ? trimmedPrefix(plain) : plain;
    return tableRoute({ ...rest, pathType, path });
  });

describe('MatchTable', () => {
  it('finds what asking every route in turn finds, whichever the routes and the request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someRoute, { maxLength: 30 }),
        fc.array(fc.tuple(someMethod, someHost, asked), { minLength: 1, maxLength: 20 }),
        async (routes, requests) => {
          const table = await MatchTable.of(routes);
          for (const [method, host, path] of requests) {
            const found = await table.match(method, host ?? 'other.example', path);
            expect(found?.route.id ?? null).toBe(naively(routes, method, host ?? 'other.example', path));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  const idsOf = async (routes: GatewayRoute[], ...requests: [method: string, host: string, path: string][]) => {
    const table = await MatchTable.of(routes);
    const found = requests.map(async ([method, host, path]) => table.match(method, host, path));
    return (await Promise.all(found)).map((match) => match?.route.id ?? null);
  };
  const get = (path: string, host = 'any.example'): [string, string, string] => ['GET', host, path];

  it('takes a prefix to its end or to a slash, and no further', async () => {
    const [shop, deep, all] = [
      tableRoute({ path: '/shop' }),
      tableRoute({ path: '/shop/v2' }),
      tableRoute({ path: '/', host: 'all.example' }),
    ];
    const found = await idsOf(
      [shop, deep, all],
      get('/shop'),
      get('/shop/'),
      get('/shop/x'),
      get('/shopping'),
      get('/shop/v2/x'),
    );
    expect(found).toEqual([shop.id, shop.id, shop.id, null, deep.id]);
    expect(
      await idsOf([shop, deep, all], get('/shop/v22'), get('/x', 'all.example'), get('/', 'all.example'), get('/')),
    ).toEqual([shop.id, all.id, all.id, null]);
  });

  it('passes over a route whose method does not fit, also the more fitting one', async () => {
    const exact = tableRoute({ path: '/a', pathType: 'exact', methods: ['POST'] });
    const prefix = tableRoute({ path: '/a', methods: ['PUT'] });
    const pattern = tableRoute({ path: '/a', pathType: 'regex' });
    const found = ['POST', 'PUT', 'GET'].map((method) => [method, 'h', '/a'] as [string, string, string]);
    expect(await idsOf([exact, prefix, pattern], ...found)).toEqual([exact.id, prefix.id, pattern.id]);
  });

  it('lets HEAD go where GET goes, unless another route of the path names it', async () => {
    const reads = tableRoute({ path: '/a', methods: ['GET'] });
    const heads = tableRoute({ path: '/a', methods: ['HEAD'] });
    expect(await idsOf([reads], ['HEAD', 'h', '/a'])).toEqual([reads.id]);
    expect(await idsOf([reads, heads], ['HEAD', 'h', '/a'])).toEqual([heads.id]);
  });

  it('knows nothing of routes that are off, and compares paths byte by byte', async () => {
    const off = tableRoute({ path: '/a', pathType: 'exact', enabled: false });
    const encoded = tableRoute({ path: '/%7ea', pathType: 'exact' });
    expect(await idsOf([off, encoded], get('/a'), get('/%7ea'), get('/%7Ea'), get('/~a'))).toEqual([
      null,
      encoded.id,
      null,
      null,
    ]);
  });

  it('goes by no members that every object has', async () => {
    const table = await MatchTable.of([tableRoute({ path: '/a', pathType: 'exact', methods: ['GET'], host: 'h' })]);
    for (const name of ['constructor', '__proto__', 'toString'])
      expect([
        table.match(name, 'h', '/a'),
        table.match('GET', name, '/a'),
        table.match('GET', 'h', `/${name}`),
      ]).toEqual([null, null, null]);
  });

  it('finds the same among 10,000 routes', async () => {
    const many = Array.from({ length: 5_000 }, (_, n) => [
      tableRoute({ path: `/exact/${n}`, pathType: 'exact' }),
      tableRoute({ path: `/prefix/${n}` }),
    ]).flat();
    const [exact, prefix] = [many[8_000], many[8_001]];
    expect(await idsOf(many, get('/exact/4000'), get('/prefix/4000/x/y'), get('/exact/4000/x'))).toEqual([
      exact?.id,
      prefix?.id,
      null,
    ]);
  });

  it('looks as often for a path among 10,000 routes as among 10, whoever takes it', async () => {
    const named = (n: number) => String(n).padStart(4, '0'); // a prefix of another length is another place to look at
    const tableOf = (each: number) =>
      MatchTable.of(
        Array.from({ length: each }, (_, n) => [
          tableRoute({ path: `/exact/${named(n)}`, pathType: 'exact' }),
          tableRoute({ path: `/prefix/${named(n)}` }),
        ]).flat(),
      );
    const [few, many] = [await tableOf(5), await tableOf(5_000)];
    const spy = jest.spyOn(Map.prototype, 'get');
    try {
      const lookUps = (table: MatchTable, path: string): number => {
        spy.mockClear();
        table.match('GET', 'h', path);
        return spy.mock.calls.length;
      };
      for (const [path, most] of [
        ['/exact/0003', 1],
        ['/prefix/0003', 2],
        ['/prefix/0003/x/y', 4],
        ['/nowhere/003/x/y', 5],
        ['/', 2],
      ] as const) {
        expect([path, lookUps(many, path)]).toEqual([path, lookUps(few, path)]);
        expect(lookUps(many, path)).toBeLessThanOrEqual(most);
      }
    } finally {
      spy.mockRestore();
    }
  });

  it.each(['exact', 'prefix', 'regex'] as const)(
    'of 100 %s routes is made with all else in between',
    async (pathType) => {
      const routes = Array.from({ length: 100 }, (_, n) => tableRoute({ path: `/${n}`, pathType }));
      expect(await roundsWhile(() => MatchTable.of(routes))).toBeGreaterThan(20);
    },
  );

  it('comes to an end with a path of nothing but slashes and with one that is none', async () => {
    const root = tableRoute({ path: '/', methods: ['GET'] });
    expect(
      await idsOf([root, tableRoute({ path: `/${'a'.repeat(2_000)}` })], get('/'.repeat(2_048)), get('*'), get('')),
    ).toEqual([root.id, null, null]);
  });

  describe('rewrites', () => {
    const target = async (fields: Partial<GatewayRoute>, path: string) =>
      (await (await MatchTable.of([tableRoute(fields)])).match('GET', 'h', path))?.path ?? null;

    it.each<[Partial<GatewayRoute>, string, string | null]>([
      [{ path: '/a', pathType: 'exact' }, '/a', '/a'],
      [{ path: '/a', pathType: 'exact', rewrite: '/b/c' }, '/a', '/b/c'],
      [{ path: '/shop' }, '/shop/x%2Cy/', '/shop/x%2Cy/'],
      [{ path: '/shop', stripPrefix: true }, '/shop', '/'],
      [{ path: '/shop', stripPrefix: true }, '/shop/', '/'],
      [{ path: '/shop', stripPrefix: true }, '/shop/x;v=1/%7E', '/x;v=1/%7E'],
      [{ path: '/', stripPrefix: true }, '/x', '/x'],
      [{ path: '/shop', rewrite: '/v2/store' }, '/shop/x', '/v2/store/x'],
      [{ path: '/shop', rewrite: '/v2/store' }, '/shop', '/v2/store'],
      [{ path: '/shop', rewrite: '/' }, '/shop/x', '/x'],
      [{ path: '/shop', rewrite: '/' }, '/shop', '/'],
      [{ path: '/', rewrite: '/v2' }, '/', '/v2/'],
      [{ path: '/', rewrite: '/v2' }, '/x', '/v2/x'],
      [{ path: '/u/(\\d+)/(.*)', pathType: 'regex', rewrite: '/users/$1/all/$2' }, '/u/7/x/y', '/users/7/all/x/y'],
      [{ path: '/u/(\\d+)', pathType: 'regex' }, '/u/7', '/u/7'],
      [{ path: '/u(/\\d+)?', pathType: 'regex', rewrite: '/users$1' }, '/u', '/users'],
      [{ path: '/u/(\\d+)', pathType: 'regex', rewrite: '/x$10' }, '/u/7', '/x70'],
      [{ path: '/(.*)/(.*)', pathType: 'regex', rewrite: '/$1/$2' }, '/a/', '/a/'],
      [{ path: '/(a?)x(.*)', pathType: 'regex', rewrite: '/$1/$2' }, '/x/b', '/b'],
      // What groups would make of dot segments, encoded slashes and halves of characters is not passed on.
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2' }, '/._.', null],
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/a/$1/b' }, '/.._x', null],
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2' }, '/._.;v=1', null],
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2/b' }, '/._.%3B', null],
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2' }, '/._x;v=1', '/.x;v=1'],
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2' }, '/%2_f', null],
      [{ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2/x' }, '/%2e_.', null],
      [{ path: '/(.).*', pathType: 'regex', rewrite: '/$1' }, '/%41', null],
      [{ path: '(.*)', pathType: 'regex', rewrite: `/${'$1'.repeat(16)}` }, `/${'a'.repeat(2_000)}`, null],
    ])('%j: %s → %s', async (fields, path, wanted) => {
      expect(await target(fields, path)).toBe(wanted);
    });

    it('goes on with the next route where a rewrite would lead elsewhere', async () => {
      const first = tableRoute({ path: '/(.*)_(.*)', pathType: 'regex', rewrite: '/$1$2', priority: 1 });
      const second = tableRoute({ path: '.*', pathType: 'regex' });
      expect(await idsOf([first, second], get('/a_b'), get('/._.'))).toEqual([first.id, second.id]);
    });
  });
});
