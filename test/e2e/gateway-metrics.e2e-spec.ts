import { once } from 'node:events';
import { request, type RequestListener } from 'node:http';
import { GatewayPort } from '../../src/modules/gateway/gateway-port.service';
import { makeKey, type TestKey } from '../support/api-keys';
import { makeRoute } from '../support/gateway-routes';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { type Listening, serveHttp } from './gateway-front.harness';

describe.each(['true', 'false'])('metrics of the gateway with METRICS_TENANT_LABELS=%s', (labels) => {
  let app: TestApp;
  let ownPort: string;
  let upstreams: Listening[];
  let admin: LoggedIn;
  let key: TestKey;

  beforeAll(async () => {
    upstreams = [];
    app = await startTestApp({ config: { METRICS_TENANT_LABELS: labels, GATEWAY_ALLOWED_CIDRS: '127.0.0.0/8' } });
    ownPort = await app.app.get(GatewayPort).listen(0, '127.0.0.1');
    admin = await app.login('TENANT_ADMIN');
    key = await makeKey(app, admin.http, { role: 'AGENT' });
  });
  afterAll(async () => {
    await app.close();
    for (const upstream of upstreams) await upstream.close();
  });

  const upstreamOf = async (handler: RequestListener): Promise<string> => {
    const upstream = await serveHttp(handler);
    upstreams.push(upstream);
    return upstream.url;
  };
  /** Of one tenant and route the values of a series, by what else it is told apart by. */
  const readings = async (name: string, tenant: string, route: string): Promise<Record<string, number>> => {
    const { text } = await app.anybody.at(ownPort).get('/metrics');
    const [head, value] = [`switchboard_gateway_${name}{`, /^(.*)\} ([\d.]+)$/];
    const own = `tenant="${labels === 'true' ? tenant : 'all'}",route="${labels === 'true' ? route : 'all'}"`;
    const lines = text.split('\n').filter((line) => line.startsWith(head) && line.includes(own));
    const pairs = lines.map((line) => value.exec(line.slice(head.length).replace(own, '').replace(/^,/, '')) ?? []);
    return Object.fromEntries(pairs.map(([, rest = '', figure]) => [rest, Number(figure)]));
  };

  it('count a client that goes away before the head of its answer as 499, and one that goes after it by its status', async () => {
    let asked = 0;
    const url = await upstreamOf((incoming, response) => {
      asked += 1;
      if (incoming.url?.endsWith('/middle')) response.writeHead(200).write('part');
    });
    const { id } = await makeRoute(admin.http, { path: '/left', upstreams: [{ url }] });
    for (const path of ['/left/head', '/left/middle', '/left/head']) {
      const before = asked;
      const call = request(ownPort + path, { headers: { 'x-api-key': key.key } }).on('error', () => undefined);
      const answered = path.endsWith('middle') ? once(call, 'response') : undefined;
      call.end();
      await eventually(() => asked > before);
      await answered;
      call.destroy();
    }
    await eventually(async () => {
      const counted = await readings('requests_total', admin.tenantId, id);
      expect(counted).toEqual({ 'status="499"': 2, 'status="200"': 1 });
    });
    // Only the one that was answered says how long an upstream takes.
    expect(await readings('upstream_duration_seconds_count', admin.tenantId, id)).toEqual({ '': 1 });
    expect(await readings('request_duration_seconds_count', admin.tenantId, id)).toEqual({ '': 3 });
  });

  it('tell tenants and routes apart, or not, those that were turned away among them', async () => {
    const [good, busy] = [
      await upstreamOf((_incoming, response) => void response.end('well')),
      await upstreamOf((_incoming, response) => void response.writeHead(503).end()),
    ];
    const stranger = await app.login('TENANT_ADMIN', await app.make.tenant());
    const theirs = await makeKey(app, stranger.http, { role: 'AGENT' });
    const own = await makeRoute(admin.http, { path: '/own', upstreams: [{ url: good }] });
    const retried = await makeRoute(admin.http, {
      ...{ path: '/retried', upstreams: [{ url: busy }, { url: good }], strategy: 'first', retries: 1 },
    });
    const other = await makeRoute(stranger.http, { path: '/own', upstreams: [{ url: good }] });
    const sum = async (name: string): Promise<number> => {
      const { text } = await app.anybody.at(ownPort).get('/metrics');
      const lines = text.split('\n').filter((line) => line.startsWith(`switchboard_gateway_${name}{`));
      return lines.reduce((all, line) => all + Number(line.split('} ')[1]), 0);
    };
    const before = { requests: await sum('requests_total'), retries: await sum('retries_total') };
    const statuses: number[] = [];
    for (const [http, path] of [
      ...([
        [key.http, '/own'],
        [key.http, '/own'],
        [key.http, '/retried'],
        [theirs.http, '/own'],
      ] as const),
      ...([
        [theirs.http, '/nowhere'],
        [app.anybody, '/own'],
      ] as const),
    ])
      statuses.push((await http.at(ownPort).get(path)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 404, 401]);
    expect((await sum('requests_total')) - before.requests).toBe(6);
    expect((await sum('retries_total')) - before.retries).toBe(1);
    const { text } = await app.anybody.at(ownPort).get('/metrics');
    const gateway = text.split('\n').filter((line) => line.startsWith('switchboard_gateway_'));
    if (labels === 'false') {
      for (const { id } of [own, retried, other]) expect(gateway.filter((line) => line.includes(id))).toEqual([]);
      expect(gateway.filter((line) => line.includes(admin.tenantId))).toEqual([]);
      return;
    }
    const counted = (tenant: string, route: string) => readings('requests_total', tenant, route);
    expect(await counted(admin.tenantId, own.id)).toEqual({ 'status="200"': 2 });
    expect(await counted(admin.tenantId, retried.id)).toEqual({ 'status="200"': 1 });
    expect(await readings('retries_total', admin.tenantId, retried.id)).toEqual({ '': 1 });
    expect(await counted(stranger.tenantId, other.id)).toEqual({ 'status="200"': 1 });
    expect(await counted(stranger.tenantId, 'none')).toEqual({ 'status="404"': 1 });
    expect(await counted('none', 'none')).toEqual({ 'status="401"': 1 });
    // The first request of the stranger met neither its key nor its table; the second met both, though no route.
    const lookUps = (tenant: string, route: string) => readings('cache_requests_total', tenant, route);
    const [hit, miss] = ['outcome="hit"', 'outcome="miss"'];
    expect(await lookUps(stranger.tenantId, other.id)).toEqual({
      ...{ [`cache="keys",${hit}`]: 0, [`cache="keys",${miss}`]: 1 },
      ...{ [`cache="routes",${hit}`]: 0, [`cache="routes",${miss}`]: 1 },
    });
    expect(await lookUps(stranger.tenantId, 'none')).toEqual({
      ...{ [`cache="keys",${hit}`]: 1, [`cache="keys",${miss}`]: 0 },
      ...{ [`cache="routes",${hit}`]: 1, [`cache="routes",${miss}`]: 0 },
    });
  });
});
