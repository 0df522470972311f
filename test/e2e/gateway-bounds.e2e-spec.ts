import { draftRoute, makeRoute, type WireRoute } from '../support/gateway-routes';
import type { HttpClient } from '../support/http-client';
import { RoutesBed } from '../support/routes-bed';

describe('routes of the gateway', () => {
  const bed = new RoutesBed();

  beforeAll(() => bed.open());
  afterAll(() => bed.close());

  describe('that claim the same', () => {
    const outcomes = async (client: HttpClient, ...bodies: object[]) => {
      const answers = await Promise.all(
        bodies.map((fields) => client.post('/gateway/routes', draftRoute({ ...fields }))),
      );
      return answers.map(({ outcome }) => outcome).sort();
    };

    it('are made once, of however many at once', async () => {
      const client = await bed.elsewhere();
      const bodies = [{}, { methods: ['GET'] }, { methods: ['POST', 'GET'] }, { path: '/twin/' }, {}, {}];
      const found = await outcomes(client, ...bodies.map((body) => ({ path: '/twin', methods: ['GET'], ...body })));
      expect(found).toEqual(['201', ...Array(5).fill('409 GATEWAY_ROUTE_CONFLICT')]);
    });

    it('are no two with other methods, hosts, kinds of path, or when one is off', async () => {
      const client = await bed.elsewhere();
      const bodies = [
        ...[{ methods: ['GET'] }, { methods: ['POST', 'PUT'] }, { host: 'a.example' }, { host: 'b.example' }],
        ...[{ path_type: 'exact' }, { path_type: 'regex' }, { enabled: false }, { enabled: false }],
      ];
      expect(await outcomes(client, ...bodies.map((body) => ({ path: '/twin', ...body })))).toEqual(
        Array(8).fill('201'),
      );
      const list = (await client.get<WireRoute[]>('/gateway/routes')).body;
      const off = list.filter(({ enabled }) => !enabled);
      for (const { id } of off) {
        const answer = await client.call<{ error: string }>('PATCH', `/gateway/routes/${id}`, { enabled: true });
        expect(answer.outcome).toBe('409 GATEWAY_ROUTE_CONFLICT');
      }
      expect((await outcomes(client, { path: '/twin', host: 'A.Example' }))[0]).toBe('409 GATEWAY_ROUTE_CONFLICT');
    });

    it('are not made by changing two at once either', async () => {
      const client = await bed.elsewhere();
      const two = [await makeRoute(client), await makeRoute(client)];
      const answers = await Promise.all(
        two.map(({ id }) => client.call('PATCH', `/gateway/routes/${id}`, { path: '/wanted' })),
      );
      expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['200', '409 GATEWAY_ROUTE_CONFLICT']);
    });
  });

  it('have at most 100 regular expressions among them, and 10,000 in all, of however many at once', async () => {
    const tenantId = await bed.app.make.tenant();
    const client = (await bed.app.login('TENANT_ADMIN', tenantId)).http;
    const fill = (count: number, type: string) =>
      bed.app.owner.query(
        `insert into gateway_routes (tenant_id, id, path, path_type, upstreams, strategy, timeout_ms, headers)
          select $1, gen_random_uuid(), '/' || $3 || n || '/', $3, '[{"url":"https://1.1.1.1","weight":1}]', 'first', 1000,
            '{"set":{},"remove":[]}' from generate_series(1, $2::int) n`,
        [tenantId, count, type],
      );
    const postAll = async (...fields: object[]) => {
      const answers = await Promise.all(fields.map((each) => client.post('/gateway/routes', draftRoute({ ...each }))));
      return answers.map(({ outcome }) => outcome).sort();
    };
    await fill(98, 'regex');
    const patterns = ['a', 'b', 'c', 'd'].map((path) => ({ path: `/${path}/.*`, path_type: 'regex' }));
    const limited = '409 GATEWAY_ROUTE_LIMIT';
    expect(await postAll(...patterns)).toEqual(['201', '201', limited, limited]);
    const plain = await makeRoute(client);
    const turned = await client.call('PATCH', `/gateway/routes/${plain.id}`, { path_type: 'regex' });
    expect(turned.outcome).toBe(limited);
    await fill(9_897, 'exact');
    expect(await postAll({}, {}, {}, {})).toEqual(['201', '201', limited, limited]);
    const test = { method: 'GET', path: '/exact9000/' };
    expect((await client.post<{ target: string }>('/gateway/routes/test', test)).body.target).toBe('/exact9000/');
  });

  it('have no more work in their regular expressions than one request can bear, unless these look at other paths', async () => {
    const client = await bed.elsewhere();
    const heavy = (start: string) => ({ path: `${start}(?:a?){45}a{45}`, path_type: 'regex' });
    const outcomes: string[] = [];
    for (const start of ['/a', '/b', '/a/x', ''])
      outcomes.push((await client.post('/gateway/routes', draftRoute(heavy(start)))).outcome);
    expect(outcomes).toEqual(['201', '201', '400 VALIDATION_FAILED', '400 VALIDATION_FAILED']);
  });

  describe('POST /gateway/routes/test', () => {
    it('tells which route a request would take, and what its upstreams would be asked for', async () => {
      const client = await bed.elsewhere();
      const upstreams = [{ url: 'https://1.1.1.1/base/' }, { url: 'http://8.8.8.8:8080' }];
      const route = await makeRoute(client, { path: '/shop', host: 'Shop.Example', strip_prefix: true, upstreams });
      const tried = async (body: object) => (await client.post<object>('/gateway/routes/test', body)).body;
      expect(await tried({ method: 'get', path: '/shop/x%20y?a=1&b', host: 'shop.example:8080' })).toEqual({
        ...{ route, target: '/x%20y?a=1&b' },
        urls: ['https://1.1.1.1/base/x%20y?a=1&b', 'http://8.8.8.8:8080/x%20y?a=1&b'],
      });
      const none = { route: null, target: null, urls: [] };
      expect(await tried({ method: 'GET', path: '/shop' })).toEqual(none);
      await client.call('PATCH', `/gateway/routes/${route.id}`, { host: null, methods: ['GET'] });
      expect(await tried({ method: 'GET', path: '/shop' })).toMatchObject({ target: '/' });
      // What no path of a route may hold is a request's business all the same.
      expect(await tried({ method: 'GET', path: '/shop/"{x}"' })).toMatchObject({ target: '/"{x}"' });
      expect(await tried({ method: 'POST', path: '/shop' })).toEqual(none);
      await client.delete(`/gateway/routes/${route.id}`);
      expect(await tried({ method: 'GET', path: '/shop' })).toEqual(none);
    });

    it.each([
      { method: 'GET' },
      { method: 'GET', path: 'x' },
      { method: 'GET', path: '/a/../b' },
      { method: 'GET', path: '//a' },
      { method: 'GET', path: '/a%2fb' },
      { method: 'GET', path: '/a/..;x/b' },
      { method: 'GET', path: '/a?b c' },
      { method: 'GET', path: `/${'a'.repeat(2_048)}` },
      { method: 'GET', path: '/', host: 'a b' },
      { method: 'GET', path: '/', host: 'a.example:x' },
      { method: 'CONNECT', path: '/' },
      { method: 'TRACK', path: '/' },
      { method: 'GET', path: '/', port: 1 },
    ])('refuses %j', async (body) => {
      expect((await bed.http.post('/gateway/routes/test', body)).outcome).toBe('400 VALIDATION_FAILED');
    });
  });
});
