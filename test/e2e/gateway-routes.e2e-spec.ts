import type { ErrorDetail } from '../../src/common/app-error';
import { newId } from '../../src/common/ids';
import { draftRoute, makeRoute, UPSTREAM, type WireRoute } from '../support/gateway-routes';
import { RoutesBed } from '../support/routes-bed';

describe('routes of the gateway', () => {
  const bed = new RoutesBed();

  beforeAll(() => bed.open());
  afterAll(() => bed.close());

  const post = (fields: object, headers?: Record<string, string>) =>
    bed.http.post<WireRoute & { details: ErrorDetail[] }>('/gateway/routes', draftRoute({ ...fields }), { headers });
  const patch = (id: string, body: object, headers?: Record<string, string>) =>
    bed.http.call<WireRoute & { details: ErrorDetail[] }>('PATCH', `/gateway/routes/${id}`, body, { headers });
  const put = (id: string, body: object) => bed.http.call<WireRoute>('PUT', `/gateway/routes/${id}`, body);
  const recordsOf = async (id: string) => {
    const { rows } = await bed.app.owner.query<{ action: string; metadata: unknown }>(
      `select action, metadata from audit_logs where resource = $1 order by id`,
      [`gateway-route:${id}`],
    );
    return rows.map(({ action, metadata }) => [action, metadata]);
  };
  it('are made with their defaults, shown, changed, replaced and removed, and each change is on record', async () => {
    const answer = await bed.http.post<WireRoute>('/gateway/routes', {
      ...{ path: '/shop/', path_type: 'prefix', upstreams: [{ url: 'https://1.1.1.1/' }] },
    });
    expect(answer.status).toBe(201);
    const { id, created_at } = answer.body;
    expect(answer.body).toEqual({
      ...{ id, path: '/shop', path_type: 'prefix', methods: null, host: null, priority: 0 },
      ...{ upstreams: [{ url: 'https://1.1.1.1', weight: 1 }], strategy: 'round-robin', strip_prefix: false },
      ...{ rewrite: null, timeout_ms: 30_000, retries: 0, headers: { set: {}, remove: [] } },
      ...{ rate_limit_per_minute: null, enabled: true, warnings: [], created_at, updated_at: created_at },
    });
    const shown = await bed.http.get<WireRoute>(`/gateway/routes/${id}`);
    expect([shown.body, shown.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')]);

    const headers = { set: { Authorization: 'Bearer a-secret' }, remove: ['Cookie'] };
    const changed = await patch(id, { methods: ['get', 'POST'], retries: 2, headers });
    expect(changed.body).toMatchObject({ path: '/shop', methods: ['GET', 'POST'], retries: 2 });
    expect(changed.body.headers).toEqual({ set: { authorization: 'Bearer a-secret' }, remove: ['cookie'] });
    expect(changed.headers.get('etag')).not.toBe(shown.headers.get('etag'));
    const same = await patch(id, { methods: ['POST', 'GET'] });
    expect([same.body, same.headers.get('etag')]).toEqual([changed.body, changed.headers.get('etag')]);

    const replaced = await put(id, draftRoute({ path: '/store', path_type: 'exact', rewrite: '/v2' }));
    expect(replaced.body).toMatchObject({ id, path: '/store', methods: null, retries: 0, rewrite: '/v2' });
    expect(replaced.body.headers).toEqual({ set: {}, remove: [] });
    expect((await put(id, { path: '/store' })).outcome).toBe('400 VALIDATION_FAILED');

    expect((await bed.http.delete(`/gateway/routes/${id}`)).status).toBe(204);
    for (const gone of [await bed.http.get(`/gateway/routes/${id}`), await bed.http.delete(`/gateway/routes/${id}`)])
      expect(gone.outcome).toBe('404 NOT_FOUND');
    const records = await recordsOf(id);
    expect(records).toEqual([
      ['GATEWAY_ROUTE_CREATED', { path: '/shop', path_type: 'prefix', methods: null, host: null }],
      ['GATEWAY_ROUTE_UPDATED', { changed: ['methods', 'retries', 'headers'] }],
      ['GATEWAY_ROUTE_UPDATED', { changed: ['path', 'path_type', 'methods', 'rewrite', 'retries', 'headers'] }],
      ['GATEWAY_ROUTE_DELETED', { path: '/store', path_type: 'exact' }],
    ]);
    expect(JSON.stringify(records)).not.toContain('a-secret');
  });

  it('are changed and removed as they were read, or not at all', async () => {
    const { id } = await makeRoute(bed.http);
    const etag = (await bed.http.get(`/gateway/routes/${id}`)).headers.get('etag') ?? '';
    const both = await Promise.all([1, 2].map((retries) => patch(id, { retries }, { 'if-match': etag })));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
    const stale = { headers: { 'if-match': etag } };
    expect((await bed.http.delete(`/gateway/routes/${id}`, stale)).outcome).toBe('412 PRECONDITION_FAILED');
    const fresh = (await bed.http.get(`/gateway/routes/${id}`)).headers.get('etag') ?? '';
    expect((await bed.http.delete(`/gateway/routes/${id}`, { headers: { 'if-match': fresh } })).status).toBe(204);
  });

  it('are an administrator’s alone, also to read, and nobody’s of another tenant', async () => {
    const { id } = await makeRoute(bed.http);
    for (const role of ['MANAGER', 'AGENT', 'AUDITOR'] as const) {
      const other = (await bed.app.login(role)).http;
      const answers = [await other.get('/gateway/routes'), await other.get(`/gateway/routes/${id}`)];
      answers.push(await other.post('/gateway/routes', draftRoute()), await other.post('/gateway/routes/test', {}));
      expect(answers.map(({ outcome }) => outcome)).toEqual(Array(4).fill('403 FORBIDDEN'));
    }
    expect((await bed.app.anybody.get('/gateway/routes')).outcome).toBe('401 AUTHENTICATION_FAILED');
    const stranger = await bed.elsewhere();
    expect((await stranger.get(`/gateway/routes/${id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await stranger.call('PATCH', `/gateway/routes/${id}`, { retries: 1 })).outcome).toBe('404 NOT_FOUND');
    expect((await stranger.get<WireRoute[]>('/gateway/routes')).body).toEqual([]);
    expect((await bed.http.get('/gateway/routes/7')).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('are listed newest first, in pages, with their number', async () => {
    const other = await bed.elsewhere();
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift((await makeRoute(other)).id);
    const first = await other.get<WireRoute[]>('/gateway/routes?limit=2&count=true');
    expect([first.body.map(({ id }) => id), first.headers.get('x-total-count')]).toEqual([made.slice(0, 2), '5']);
    const next = /<(.*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect((await other.get<WireRoute[]>(next)).body.map(({ id }) => id)).toEqual(made.slice(2, 4));
    const rest = await other.get<WireRoute[]>('/gateway/routes?offset=4');
    expect([rest.body.map(({ id }) => id), rest.headers.get('link')]).toEqual([made.slice(4), null]);
  });

  it('keep what headers are set to sealed wherever it lies, each for its own route', async () => {
    const set = { authorization: 'Bearer very-secret' };
    const { id } = await makeRoute(bed.http, { headers: { set, remove: ['cookie'] } });
    const other = await makeRoute(bed.http, { headers: { set: { 'x-other': 'also-secret' } } });
    const key = { 'idempotency-key': `route-${newId()}` };
    const body = draftRoute({ headers: { set } });
    const writes = [
      await bed.http.post('/gateway/routes', body, { headers: key }),
      await bed.http.call('PUT', `/gateway/routes/${id}`, body, { headers: key }),
      await bed.http.call('PATCH', `/gateway/routes/${id}`, { headers: { set } }, { headers: key }),
      await bed.http.post('/gateway/routes/test', { method: 'GET', path: '/' }, { headers: key }),
    ];
    expect(writes.map(({ outcome }) => outcome)).toEqual(Array(4).fill('400 VALIDATION_FAILED'));
    expect((await patch(id, { retries: 1 })).body.headers).toEqual({ set, remove: ['cookie'] });
    expect((await bed.http.get<WireRoute>(`/gateway/routes/${id}`)).body.headers.set).toEqual(set);
    const tables = ['gateway_routes', 'idempotency_keys', 'audit_logs'];
    const lying = tables.map((table) => `select t::text as row from ${table} t`).join(' union all ');
    const text = JSON.stringify((await bed.app.owner.query<{ row: string }>(lying)).rows);
    expect(text).toContain(id);
    expect(text).not.toMatch(/very-secret|also-secret/);

    const move = `update gateway_routes set headers = (select headers from gateway_routes where id = $1) where id = $2`;
    await bed.app.owner.query(move, [id, other.id]);
    expect((await bed.http.get(`/gateway/routes/${other.id}`)).status).toBe(500);
    await bed.http.delete(`/gateway/routes/${id}`);
    await bed.app.owner.query(`delete from gateway_routes where id = $1`, [other.id]);
    const plain = `insert into gateway_routes (tenant_id, id, path, path_type, upstreams, strategy, timeout_ms, headers)
      values ($1, $2, '/x', 'exact', '[{}]', 'first', 1000, '{"set":{"a":"b"},"remove":[]}')`;
    await expect(bed.app.owner.query(plain, [bed.app.tenantId, newId()])).rejects.toThrow('headers_check');
  });

  it.each<[object, string]>([
    [{ path_type: 'glob' }, 'path_type'],
    [{ path: 'shop' }, 'path'],
    [{ path: '/a/../b' }, 'path'],
    [{ path: '/(?=a)', path_type: 'regex' }, 'path'],
    [{ path: '(a)\\1', path_type: 'regex' }, 'path'],
    [{ path: '(?:a?){200}a{200}', path_type: 'regex' }, 'path'],
    [{ path: 'a'.repeat(257), path_type: 'regex' }, 'path'],
    [{ path: '(?:.?){50}(?:.?){50}(?:.?){50}x', path_type: 'regex' }, 'path'],
    [{ path: '(?:.?){50}(?:.?){50}(?:.?){50}x', path_type: 'regex', enabled: false }, 'path'],
    [{ path: `/${'a'.repeat(2_048)}` }, 'path'],
    [{ methods: [] }, 'methods'],
    [{ methods: ['CONNECT'] }, 'methods'],
    [{ methods: ['GET IT'] }, 'methods'],
    ...['trace', 'TRACK', 'BREW'].map((method): [object, string] => [{ methods: ['GET', method] }, 'methods']),
    [{ host: 'a.example:80' }, 'host'],
    [{ host: 'a_b' }, 'host'],
    [{ priority: 10_001 }, 'priority'],
    [{ upstreams: [] }, 'upstreams'],
    [{ upstreams: Array.from({ length: 17 }, (_, n) => ({ url: `${UPSTREAM}/${n}` })) }, 'upstreams'],
    [{ upstreams: [{ url: UPSTREAM, weight: 0 }] }, 'upstreams.0.weight'],
    [{ upstreams: [{ url: UPSTREAM, weight: 1.5 }] }, 'upstreams.0.weight'],
    [{ upstreams: [{ url: UPSTREAM, colour: 'red' }] }, 'upstreams.0.colour'],
    [{ upstreams: [{ url: UPSTREAM }, { url: `${UPSTREAM}:443/` }] }, 'upstreams.1.url'],
    [{ strategy: 'best' }, 'strategy'],
    [{ strip_prefix: true, path_type: 'exact' }, 'strip_prefix'],
    [{ strip_prefix: true, rewrite: '/x' }, 'strip_prefix'],
    [{ rewrite: 'x' }, 'rewrite'],
    [{ rewrite: '/$1' }, 'rewrite'],
    [{ path: '/(a)', path_type: 'regex', rewrite: '/$2' }, 'rewrite'],
    [{ timeout_ms: 99 }, 'timeout_ms'],
    [{ timeout_ms: 300_001 }, 'timeout_ms'],
    [{ retries: 6 }, 'retries'],
    [{ rate_limit_per_minute: 0 }, 'rate_limit_per_minute'],
    [{ headers: { set: { 'X-Api-Key': 'x' } } }, 'headers.set.X-Api-Key'],
    [{ headers: { set: { 'x-a': 'b\r\nc: d' } } }, 'headers.set.x-a'],
    [{ headers: { set: { 'x-a': 1 } } }, 'headers'],
    [{ headers: { add: {} } }, 'headers'],
    [{ headers: { remove: ['host'] } }, 'headers.remove.0'],
    [{ headers: { remove: ['te'] } }, 'headers.remove.0'],
    [{ headers: { set: { 'X-Tenant-Plan': 'x' } } }, 'headers.set.X-Tenant-Plan'],
    [{ enabled: 'yes' }, 'enabled'],
    [{ name: 'x' }, 'name'],
  ])('are refused with %j, naming %s', async (fields, field) => {
    const { outcome, body } = await post(fields);
    expect([outcome, body.details.map((detail) => detail.field)]).toEqual(['400 VALIDATION_FAILED', [field]]);
  });

  it('have no upstream where no tenant has anything to seek, in whatever spelling', async () => {
    const { id } = await makeRoute(bed.http);
    const hosts = [
      ...[
        '127.0.0.1',
        '2130706433',
        '0x7f.1',
        '0177.0.0.1',
        '①②⑦.0.0.1',
        '10.0.0.1',
        '169.254.169.254',
        '168.63.129.16',
      ],
      ...[
        '100.100.100.200',
        '[::1]',
        '[::ffff:127.0.0.1]',
        '[fd00:ec2::254]',
        '[fe80::1]',
        '[64:ff9b::7f00:1]',
        'localhost',
      ],
    ];
    for (const host of hosts)
      for (const answer of [
        await post({ upstreams: [{ url: UPSTREAM }, { url: `http://${host}:8080` }] }),
        await patch(id, { upstreams: [{ url: UPSTREAM }, { url: `http://${host}:8080` }] }),
      ])
        expect([host, answer.outcome, answer.body.details]).toEqual([
          host,
          '400 VALIDATION_FAILED',
          [{ field: 'upstreams.1.url', message: 'The address is not of the public internet' }],
        ]);
    for (const url of ['ftp://1.1.1.1', 'http://u:p@1.1.1.1', `${UPSTREAM}?a`, `${UPSTREAM}#a`, 'http://1.1.1.1:22'])
      expect([url, (await post({ upstreams: [{ url }] })).outcome]).toEqual([url, '400 VALIDATION_FAILED']);
  });

  it('warn where the API keeps the path for itself', async () => {
    const warned = async (fields: object) => (await makeRoute(await bed.elsewhere(), { ...fields })).warnings.length;
    expect(await warned({ path: '/orders' })).toBe(1);
    expect(await warned({ path: '/orders/7', path_type: 'exact' })).toBe(1);
    expect(await warned({ path: '/api/orders', path_type: 'exact' })).toBe(1);
    expect(await warned({ path: '/orders/7/cart', path_type: 'exact' })).toBe(0);
    expect(await warned({ path: '/ordersx' })).toBe(0);
    expect(await warned({ path: '/order.', path_type: 'regex' })).toBe(1);
    expect(await warned({ path: '/shop/.*', path_type: 'regex' })).toBe(0);
    const { id, warnings } = await makeRoute(bed.http, { path: '/files' });
    expect((await bed.http.get<WireRoute>(`/gateway/routes/${id}`)).body.warnings).toEqual(warnings);
    const { body } = await bed.http.get<WireRoute[]>('/gateway/routes?limit=1');
    expect(body[0]?.warnings).toEqual(warnings);
    expect((await patch(id, { enabled: false })).body.warnings).toEqual([]);
    expect((await patch(id, { enabled: true })).body.warnings).toEqual(warnings);
    expect((await patch(id, { path: '/filed' })).body.warnings).toEqual([]);
  });
});
