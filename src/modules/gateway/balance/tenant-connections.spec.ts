import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tableRoute } from '../../../../test/support/gateway-routes';
import { eventually } from '../../../../test/support/wait';
import { UpstreamBalancer } from './upstream-balancer';
import { UpstreamPools } from './upstream-pools';
import { UpstreamTargets } from './upstream-targets';

const routeTo = (url: string, tenantId = 'tenant') => tableRoute({ tenantId, upstreams: [{ url, weight: 1 }] });
const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
const poolsWith = (limits: ConstructorParameters<typeof UpstreamPools>[1] = {}) =>
  new UpstreamPools({ mayConnect: (address) => address === '127.0.0.1', resolve }, limits);

describe('what a tenant has under way', () => {
  it('is 4,096 requests at most, to however many origins; another tenant is free to ask', async () => {
    const pools = poolsWith();
    const targets = new UpstreamTargets(pools);
    const balancer = new UpstreamBalancer(targets);
    const pick = (url: string, tenantId?: string) => balancer.pick(routeTo(url, tenantId), []);
    const attempts = Array.from({ length: 4_096 }, (_, i) => pick(`http://${i % 8}.test`));
    expect(attempts).not.toContain(null);
    for (const name of ['0', '7', 'fresh']) expect(pick(`http://${name}.test`)).toBeNull();
    pick('http://0.test', 'other')?.release();
    expect([...targets.ofTenant('tenant').values()].every(({ health }) => health.isWell)).toBe(true);
    attempts[0]?.release();
    attempts[0]?.release();
    const next = pick('http://fresh.test');
    expect([next === null, pick('http://0.test')]).toEqual([false, null]);
    for (const attempt of [next, ...attempts]) attempt?.release();
    for (const url of ['http://0.test', 'http://fresh.test']) {
      const again = pick(url);
      expect(again).not.toBeNull();
      again?.release();
    }
    await pools.close();
  });
});

describe('the connections of a tenant that has as many as it may have', () => {
  let server: Server;
  let pools: UpstreamPools;
  let held: (() => void)[];
  /** Connections that are open, and the name that came over each. */
  let open: Map<unknown, string>;
  let port: number;

  beforeEach(async () => {
    pools = poolsWith({ ofTenant: 3 });
    [held, open] = [[], new Map()];
    server = createServer((request, response) => {
      open.set(request.socket, request.headers.host?.split('.')[0] ?? '');
      if (request.headers.host?.startsWith('slow')) held.push(() => response.end('late'));
      else response.end('soon');
    });
    server.on('connection', (socket) => socket.on('close', () => open.delete(socket)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(async () => {
    await pools.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const get = async (name: string, tenantId = 'tenant'): Promise<string> => {
    const origin = `http://${name}.test:${port}`;
    const pool = pools.of(tenantId, new URL(origin));
    pools.hold(pool);
    try {
      return await (await pool.dispatcher.request({ origin, path: '/', method: 'GET' })).body.text();
    } finally {
      pools.release(pool);
    }
  };
  const become = (...names: string[]) => eventually(() => [...open.values()].sort().join() === names.sort().join());

  it('give way to new ones while they are idle, whichever origin they lead to', async () => {
    for (let i = 0; i < 12; i += 1) {
      expect(await get(`n${i}`)).toBe('soon');
      await eventually(() => open.size <= 3);
    }
    await become('n9', 'n10', 'n11');
  });

  it('stay while they are in use, and so do those of another tenant', async () => {
    const slow = get('slow');
    await eventually(() => held.length === 1);
    expect(await get('n0', 'other')).toBe('soon');
    for (let i = 1; i < 6; i += 1) expect(await get(`n${i}`)).toBe('soon');
    await become('slow', 'n0', 'n4', 'n5');
    held[0]?.();
    expect(await slow).toBe('late');
  });

  it('are those that stand beside the pools too, and those that are only tried', async () => {
    for (const name of ['n0', 'n1']) expect(await get(name)).toBe('soon');
    const pool = pools.of('tenant', new URL(`http://n2.test:${port}`));
    const single = pool.single();
    await (await single.request({ path: '/', method: 'GET' })).body.text();
    await become('n0', 'n1', 'n2');
    expect(await pool.canConnect()).toBe(true);
    await become('n1', 'n2');
    await single.close();
    await become('n1');
    for (const name of ['n3', 'n4']) expect(await get(name)).toBe('soon');
    await become('n1', 'n3', 'n4');
  });

  it('are opened again when they are wanted', async () => {
    for (let round = 0; round < 5; round += 1)
      for (const name of ['n0', 'n1', 'n2', 'n3']) expect(await get(name)).toBe('soon');
    await eventually(() => open.size === 3);
  });
});
