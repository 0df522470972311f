import { eventually } from '../../../../test/support/wait';
import { routeWith } from '../../../../test/support/gateway-limits';
import { UpstreamBalancer } from './upstream-balancer';
import { STANDING } from './upstream-health';
import { type UpstreamEgress, UpstreamPools } from './upstream-pools';
import { UpstreamTargets } from './upstream-targets';

describe('UpstreamTargets, of which each tenant has its share', () => {
  let nowMs = 1_000_000;
  let pools: UpstreamPools;
  let resolve: UpstreamEgress['resolve'];

  beforeEach(() => {
    resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    pools = new UpstreamPools({ mayConnect: () => true, resolve: (hostname) => resolve(hostname) });
  });
  afterEach(() => pools.close());

  it('forgets of the one that has most what was longest unused, and leaves others what they know', () => {
    const few = new UpstreamTargets(pools, () => nowMs, 6, 4);
    const known = (tenantId: string) => [...few.ofTenant(tenantId).keys()].sort();
    const use = (tenantId: string, name: string) => {
      const target = few.of(tenantId, `http://${name}.test`);
      target.letGo(target.hold());
    };
    for (const name of ['a', 'b']) use('small', name);
    for (const name of ['1', '2', '3', '4', '1', '5', '6']) use('large', name);
    expect(known('large')).toEqual(['http://1.test', 'http://4.test', 'http://5.test', 'http://6.test']);
    use('small', 'c');
    expect(known('small')).toEqual(['http://a.test', 'http://b.test', 'http://c.test']);
    expect(known('large')).toEqual(['http://1.test', 'http://5.test', 'http://6.test']);
    expect(few.size).toBe(6);
  });

  it('tries four connections of one tenant at once, and those of others beside them', async () => {
    const targets = new UpstreamTargets(pools, () => nowMs);
    const balancer = new UpstreamBalancer(targets);
    const urls = ['http://well.test', ...[1, 2, 3, 4, 5, 6].map((port) => `http://127.0.0.1:${port}`)];
    const upstreams = urls.map((url) => ({ url, weight: 1 }));
    const routes = ['tenant', 'other'].map((tenantId) => ({ ...routeWith(null), tenantId, upstreams }));
    for (const { tenantId } of routes) {
      for (const url of urls.slice(1)) {
        const { health } = targets.of(tenantId, url);
        health.failed(health.begin(), 'unreachable');
      }
    }
    nowMs += 2_000;
    for (const route of routes) balancer.pick(route, [])?.release();
    const all = routes.map(({ tenantId }) => [...targets.ofTenant(tenantId).values()]);
    expect(all.map((some) => some.filter(({ checking }) => checking).length)).toEqual([4, 4]);
    await eventually(() => all.flat().every(({ checking }) => !checking));
  });

  it('hold nothing against an upstream where this machine can open no connection to try it', async () => {
    const target = new UpstreamTargets(pools, () => nowMs).of('tenant', 'http://one.test:1');
    const { health } = target;
    let tried = 0;
    const failWith = (code: string) => () => {
      tried += 1;
      return Promise.reject(Object.assign(new Error(`connect ${code}`), { code }));
    };
    const standsSince = (): unknown => [health.failuresInARow, health.avoided(), health.standing(nowMs)];
    health.failed(health.begin(), 'unreachable');
    nowMs += 2_000;
    const before = standsSince();
    expect(before).toEqual([1, expect.anything(), STANDING.unchecked]);
    for (const code of ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS']) {
      resolve = failWith(code);
      await target.check();
      await target.check(); // so soon none is tried
      expect(standsSince()).toEqual(before);
      nowMs += 1_000;
    }
    expect(tried).toBe(4);
    resolve = failWith('ECONNREFUSED');
    await target.check();
    expect(health.standing(nowMs)).toBe(STANDING.suspect);
  });
});
