import type { ErrorDetail } from '../../../common/app-error';
import { AppError } from '../../../common/app-error';
import { checkedRoute } from './route-rules';
import { ROUTE_DEFAULTS, type RouteFields } from './stored-route';

const draft = (fields: Partial<RouteFields> = {}): RouteFields => ({
  ...ROUTE_DEFAULTS,
  ...{ path: '/shop', path_type: 'prefix', upstreams: [{ url: 'https://a.example', weight: 1 }] },
  headers: { set: {}, remove: [] },
  ...fields,
});

function faults(fields: Partial<RouteFields>): ErrorDetail[] {
  try {
    checkedRoute(draft(fields), (url) => url);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return (error as AppError).details ?? [];
  }
}

const fieldsOf = (fields: Partial<RouteFields>) => faults(fields).map(({ field }) => field);

describe('a route', () => {
  it('is kept in one spelling, which is right already', () => {
    const kept = checkedRoute(
      draft({
        ...{ path: '/shop//'.slice(0, -1), host: 'Shop.Example', methods: ['post', 'GET', 'get'], rewrite: '/v2/' },
        headers: { set: { 'X-Shop': '7' }, remove: ['Cookie', 'cookie'] },
      }),
      (url) => url,
    );
    expect(kept).toMatchObject({ path: '/shop', host: 'shop.example', methods: ['GET', 'POST'], rewrite: '/v2' });
    expect(kept.headers).toEqual({ set: { 'x-shop': '7' }, remove: ['cookie'] });
    expect(checkedRoute(kept, (url) => url)).toEqual(kept);
    expect(checkedRoute(draft({ path: '/' }), (url) => url).path).toBe('/');
    expect(checkedRoute(draft({ path: '/a/', path_type: 'exact' }), (url) => url).path).toBe('/a/');
  });

  it.each([
    'shop',
    '/a//b',
    '/a/../b',
    '/a/.',
    '/%2e%2E/b',
    '/a%2Fb',
    '/a%5cb',
    '/a%00',
    '/a b',
    '/a?b',
    '/a#b',
    '/%4',
    '/é',
    '/a\\b',
    '/a\r\n',
    '/a/..;v=1',
    '/a/.%3b/b',
  ])('has no path %j', (path) => {
    expect(fieldsOf({ path })).toEqual(['path']);
    expect(fieldsOf({ path: '/ok', rewrite: path })).toEqual(['rewrite']);
  });

  it('may be long, but not longer', () => {
    expect(fieldsOf({ path: `/${'a'.repeat(2_047)}` })).toEqual([]);
    expect(fieldsOf({ path: `/${'a'.repeat(2_048)}` })).toEqual(['path']);
  });

  it('strips a prefix and nothing else, and not beside a rewrite', () => {
    expect(fieldsOf({ strip_prefix: true })).toEqual([]);
    expect(fieldsOf({ strip_prefix: true, path_type: 'exact' })).toEqual(['strip_prefix']);
    expect(fieldsOf({ strip_prefix: true, path_type: 'regex' })).toEqual(['strip_prefix']);
    expect(fieldsOf({ strip_prefix: true, rewrite: '/v2' })).toEqual(['strip_prefix']);
  });

  it('rewrites with groups that the expression has', () => {
    const regex = (path: string, rewrite: string) => fieldsOf({ path_type: 'regex', path, rewrite });
    expect(regex('/(a)(b)', '/$1/x%20$2')).toEqual([]);
    for (const rewrite of ['/$3', '/$0', '/$', '/$x', '/%2$1', 'x$1', '/../$1', `/${'$1'.repeat(17)}`])
      expect([rewrite, regex('/(a)(b)', rewrite)]).toEqual([rewrite, ['rewrite']]);
    expect(fieldsOf({ rewrite: '/$1' })).toEqual(['rewrite']);
    expect(fieldsOf({ rewrite: '/a$b' })).toEqual([]);
    expect(regex('/(', '/$1')).toEqual(['path']);
  });

  it('has an expression that one request can bear, also while it is off', () => {
    const heavy = { path_type: 'regex', path: '(?:.?){50}(?:.?){50}(?:.?){50}x' } as const;
    expect([fieldsOf(heavy), fieldsOf({ ...heavy, enabled: false })]).toEqual([['path'], ['path']]);
  });

  it('has each upstream once', () => {
    const upstreams = ['https://a.example', 'https://b.example', 'https://a.example'].map((url) => ({
      url,
      weight: 1,
    }));
    expect(fieldsOf({ upstreams })).toEqual(['upstreams.2.url']);
  });

  it.each<[object, string[]]>([
    [{ set: { 'x-a': 'b c\t"d"', 'x-empty': '', authorization: 'Bearer x' }, remove: ['cookie', 'x-plan'] }, []],
    ...[
      'Host',
      'content-length',
      'X-Tenant-ID',
      'x-request-id',
      'X-Forwarded-For',
      'x-forwarded-anything',
      'forwarded',
      'X-Real-IP',
      'x-tenant-plan',
      'X_Forwarded_For',
      'transfer_encoding',
      'Proxy',
    ].flatMap((name): [object, string[]][] => [
      [{ set: { [name]: 'x' }, remove: [] }, [`headers.set.${name}`]],
      [{ set: {}, remove: [name] }, ['headers.remove.0']],
    ]),
    ...[
      'Connection',
      'keep-alive',
      'TE',
      'trailer',
      'Transfer-Encoding',
      'upgrade',
      'proxy-authorization',
      'X-API-Key',
      'expect',
    ].flatMap((name): [object, string[]][] => [
      [{ set: { [name]: 'x' }, remove: [] }, [`headers.set.${name}`]],
      [{ set: {}, remove: [name] }, ['headers.remove.0']],
    ]),
    [{ set: { 'x a': 'b' }, remove: ['x:', ''] }, ['headers.set.x a', 'headers.remove.0', 'headers.remove.1']],
    [{ set: { 'x-a': 'b\r\nx-b: c' }, remove: [] }, ['headers.set.x-a']],
    [{ set: { 'x-a': ' b' }, remove: [] }, ['headers.set.x-a']],
    [{ set: { 'x-a': 'é' }, remove: [] }, ['headers.set.x-a']],
    [{ set: { 'x-a': 'b'.repeat(4_097) }, remove: [] }, ['headers.set.x-a']],
    [{ set: { 'x-a': '1', 'X-A': '2' }, remove: [] }, ['headers.set']],
    [{ set: { 'x-a': '1' }, remove: ['X-A'] }, ['headers.remove.0']],
    [{ set: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`x-${n}`, 'a'])), remove: [] }, ['headers']],
  ])('has headers %j: %j', (headers, wanted) => {
    expect(fieldsOf({ headers: headers as RouteFields['headers'] })).toEqual(wanted);
  });
});
