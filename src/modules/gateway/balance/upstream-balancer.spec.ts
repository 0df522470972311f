import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../../../test/support/wait';
import { newId } from '../../../common/ids';
import type { GatewayRoute, Strategy } from '../gateway-route';
import type { Upstream } from './balancer';
import { UpstreamBalancer } from './upstream-balancer';
import { UpstreamPools } from './upstream-pools';
import { UpstreamTargets } from './upstream-targets';
import { viewOf } from './upstream-view';

const [A, B, C] = ['http://a.test:8001', 'http://b.test:8002/v1', 'http://c.test:8003'] as const;

function routeTo(urls: readonly (readonly [string, number])[], strategy: Strategy, id = newId()): GatewayRoute {
  return {
    ...{ id, tenantId: 'tenant', path: '/', pathType: 'prefix', methods: null, host: null, priority: 0, strategy },
    upstreams: urls.map(([url, weight]) => ({ url, weight })),
    ...{ stripPrefix: false, rewrite: null, timeoutMs: 1_000, retries: 0, headers: { set: {}, remove: [] } },
    ...{ rateLimitPerMinute: null, enabled: true },
  };
}

describe('UpstreamBalancer', () => {
  let nowMs = 0;
  let pools: UpstreamPools;
  let targets: UpstreamTargets;
  let balancer: UpstreamBalancer;

  beforeEach(() => {
    nowMs = 1_000_000;
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    pools = new UpstreamPools({ mayConnect: (address) => address === '127.0.0.1', resolve });
    targets = new UpstreamTargets(pools, () => nowMs);
    balancer = new UpstreamBalancer(targets);
  });
  afterEach(() => pools.close());

  const pick = (route: GatewayRoute, tried: string[] = []): Upstream => {
    const upstream = balancer.pick(route, tried);
    if (!upstream) throw new Error('nobody could be picked');
    return upstream;
  };
  const ask = (route: GatewayRoute, outcome: (upstream: Upstream) => void): string => {
    const upstream = pick(route);
    outcome(upstream);
    upstream.release();
    return upstream.url;
  };
  const well = (upstream: Upstream) => upstream.answered(200, 1);
  const stateOf = (url: string) => viewOf(targets.of('tenant', url), nowMs).state;
  const eject = (route: GatewayRoute, url: string) => {
    while (stateOf(url) !== 'ejected') ask(route, (upstream) => upstream.answered(upstream.url === url ? 500 : 200, 1));
  };

  it('says what to ask for and where', () => {
    const upstream = pick(routeTo([[`${B}/`, 1]], 'first'));
    expect(upstream).toMatchObject({
      url: `${B}/`,
      origin: 'http://b.test:8002',
      authority: 'b.test:8002',
      basePath: '/v1',
    });
    const safe = pick(routeTo([['https://d.test/', 1]], 'first'));
    expect(safe).toMatchObject({ origin: 'https://d.test', authority: 'd.test', basePath: '' });
  });

  it('shares out by the weights, within 3 % over 10,000 requests', () => {
    const route = routeTo(
      [
        [A, 7],
        [B, 2],
        [C, 1],
      ],
      'weighted',
    );
    const counts = new Map<string, number>();
    for (let i = 0; i < 10_000; i += 1) {
      const url = ask(route, well);
      counts.set(url, (counts.get(url) ?? 0) + 1);
    }
    for (const [url, share] of [
      [A, 0.7],
      [B, 0.2],
      [C, 0.1],
    ] as const)
      expect(Math.abs((counts.get(url) ?? 0) / 10_000 - share)).toBeLessThanOrEqual(0.03);
  });

  it('goes on where it was when the table is made anew, and begins anew where the route changed', () => {
    const id = newId();
    const urls = [
      [A, 1],
      [B, 1],
      [C, 1],
    ] as const;
    const order = [1, 2, 3].map(() => ask(routeTo(urls, 'round-robin', id), well));
    expect(order).toEqual([A, B, C]);
    expect(ask(routeTo(urls, 'round-robin', id), well)).toBe(A);
    expect(
      ask(
        routeTo(
          [
            [C, 1],
            [A, 1],
          ],
          'round-robin',
          id,
        ),
        well,
      ),
    ).toBe(C);
  });

  it('picks none that was tried, and nobody where all were', () => {
    const route = routeTo(
      [
        [A, 1],
        [B, 1],
      ],
      'round-robin',
    );
    expect(pick(route, [A]).url).toBe(B);
    expect(balancer.pick(route, [A, B])).toBeNull();
  });

  it('sends nothing to one that is ejected, on any route of the tenant, until its pause is over; then one request', () => {
    const route = routeTo(
      [
        [A, 1],
        [B, 1],
      ],
      'round-robin',
    );
    eject(route, A);
    const other = routeTo(
      [
        [A, 1],
        [B, 1],
      ],
      'first',
    );
    expect([1, 2, 3].map(() => ask(other, well))).toEqual([B, B, B]);
    expect(balancer.pick(other, [B])).toBeNull();
    nowMs += 12_000;
    const probe = pick(other);
    expect(probe.url).toBe(A);
    expect(stateOf(A)).toBe('probing');
    expect([1, 2, 3].map(() => ask(other, well))).toEqual([B, B, B]);
    well(probe);
    probe.release();
    expect(ask(other, well)).toBe(A);
  });

  it('knows nothing of one tenant from another', () => {
    const route = routeTo([[A, 1]], 'first');
    eject(route, A);
    expect(balancer.pick(route, [])).toBeNull();
    expect(pick({ ...routeTo([[A, 1]], 'first'), tenantId: 'other' }).url).toBe(A);
  });

  it('answers nobody where all are ejected', () => {
    const route = routeTo(
      [
        [A, 1],
        [B, 1],
      ],
      'round-robin',
    );
    for (let i = 0; i < 10; i += 1) ask(route, (upstream) => upstream.answered(503, 1));
    expect(balancer.pick(route, [])).toBeNull();
  });

  it('fails one client request where an upstream is gone, and none where it stays gone', async () => {
    const gone = `http://127.0.0.1:${await closedPort()}`;
    const route = routeTo(
      [
        [gone, 1],
        [B, 1],
      ],
      'round-robin',
    );
    let failed = 0;
    for (let second = 0; second < 120; second += 1) {
      for (let i = 0; i < 4; i += 1)
        ask(route, (upstream) => {
          if (upstream.url !== gone) return well(upstream);
          failed += 1;
          upstream.failed('unreachable');
        });
      const target = targets.of('tenant', gone);
      await eventually(() => !target.checking);
      nowMs += 1_000;
    }
    expect(failed).toBe(1);
    expect(stateOf(gone)).not.toBe('healthy');
  });

  it('comes back to one that can be reached again, without a failed request', async () => {
    const server = createServer((_request, response) => response.end());
    const port = await portOf(server);
    const url = `http://127.0.0.1:${port}`;
    const route = routeTo(
      [
        [url, 1],
        [B, 1],
      ],
      'round-robin',
    );
    expect(ask(route, (upstream) => upstream.failed('unreachable'))).toBe(url);
    expect([1, 2].map(() => ask(route, well))).toEqual([B, B]);
    nowMs += 2_000;
    expect(ask(route, well)).toBe(B); // and a connection is tried meanwhile
    await eventually(() => !targets.of('tenant', url).checking);
    expect(ask(route, well)).toBe(url);
    expect(stateOf(url)).toBe('healthy');
    server.close();
    await once(server, 'close');
  });

  it('still asks a suspected one that has no other beside it, and nobody after the fifth failure', () => {
    const route = routeTo([[A, 1]], 'round-robin');
    for (let i = 0; i < 5; i += 1) expect(ask(route, (upstream) => upstream.failed('unreachable'))).toBe(A);
    expect(balancer.pick(route, [])).toBeNull();
    nowMs += 2_000;
    expect(ask(route, well)).toBe(A);
    expect(stateOf(A)).toBe('healthy');
  });

  it('holds what is under way, once each, and sends no more than 1,024 at a time to one', () => {
    const route = routeTo([[A, 1]], 'first');
    const attempts = Array.from({ length: 1_024 }, () => pick(route));
    expect(balancer.pick(route, [])).toBeNull();
    attempts[0]?.release();
    attempts[0]?.release();
    expect(targets.of('tenant', A).inFlight).toBe(1_023);
    const next = pick(route);
    expect(balancer.pick(route, [])).toBeNull();
    next.release();
    for (const attempt of attempts) attempt.release();
    expect(targets.of('tenant', A).inFlight).toBe(0);
  });

  it('counts all that is under way to one origin, on whatever path', () => {
    const attempts = Array.from({ length: 1_024 }, () => pick(routeTo([[A, 1]], 'first')));
    const beside = routeTo([[`${A}/beside`, 1]], 'first');
    expect(balancer.pick(beside, [])).toBeNull();
    for (const attempt of attempts) attempt.release();
    const next = pick(beside);
    expect(stateOf(A)).toBe('healthy');
    next.release();
  });

  it('remembers no more upstreams than it may, and never forgets one that is asked', () => {
    const few = new UpstreamTargets(pools, () => nowMs, 3);
    const small = new UpstreamBalancer(few, Math.random, 2);
    const first = small.pick(routeTo([['http://0.test', 1]], 'first'), []);
    for (let i = 1; i < 20; i += 1) small.pick(routeTo([[`http://${i}.test`, 1]], 'first'), [])?.release();
    expect(few.size).toBe(3);
    expect(few.ofTenant('tenant').has('http://0.test')).toBe(true);
    first?.release();
  });

  it('forgets what nobody asks for, and makes it anew when somebody does', () => {
    const route = routeTo([[A, 1]], 'first');
    eject(route, A);
    targets.sweep();
    nowMs += 599_000;
    targets.sweep();
    expect(targets.size).toBe(1);
    nowMs += 2_000;
    targets.sweep();
    expect(targets.size).toBe(0);
    expect(ask(route, well)).toBe(A);
    expect(targets.size).toBe(1);
    expect(targets.of('tenant', A).latencyMs).toBe(1);
  });
});

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}
