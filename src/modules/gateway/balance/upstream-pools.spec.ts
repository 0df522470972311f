import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { eventually } from '../../../../test/support/wait';
import type { EgressFailure } from '../../../platform/egress/egress-failure';
import { publicAddresses } from '../../../platform/egress/public-addresses';
import { UpstreamPools } from './upstream-pools';

const TLS = path.join(__dirname, '../../../../test/fixtures/tls/files.test');

describe('UpstreamPools', () => {
  const servers: Server[] = [];
  let names: Record<string, string[]> = {};
  let nowMs = 0;
  let pools: UpstreamPools;

  /** 127.0.0.1 stands for the public internet; the rest of the loopback network is as closed as ever. */
  const poolsWith = (limits: ConstructorParameters<typeof UpstreamPools>[1] = {}) =>
    new UpstreamPools(
      {
        mayConnect: publicAddresses(['127.0.0.1']),
        resolve: (hostname) => {
          const listed = names[hostname] ?? [];
          const next = (listed.length > 1 ? listed.shift() : listed[0]) ?? '';
          const addresses = next.split(' ').filter(Boolean);
          return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
        },
      },
      limits,
      () => nowMs,
    );

  beforeEach(() => {
    nowMs = 0;
    names = {};
    pools = poolsWith();
  });
  afterEach(async () => {
    await pools.close();
    for (const server of servers.splice(0)) {
      if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });

  const listen = async (server: Server, address = '127.0.0.1', port = 0): Promise<number> => {
    servers.push(server);
    server.listen(port, address);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  /** Listens on all of the machine, and counts what arrives. */
  const trap = async (): Promise<{ port: number; arrived: () => number }> => {
    let arrived = 0;
    const server = createTcpServer((socket) => {
      arrived += 1;
      socket.on('error', () => undefined).destroy();
    });
    return { port: await listen(server, '::'), arrived: () => arrived };
  };

  const get = async (origin: string, tenantId = 'tenant'): Promise<string> => {
    const pool = pools.of(tenantId, new URL(origin));
    pools.hold(pool);
    try {
      const { statusCode, body } = await pool.dispatcher.request({ origin, path: '/', method: 'GET' });
      return `${statusCode} ${await body.text()}`;
    } catch (error) {
      return (error as EgressFailure).code;
    } finally {
      pools.release(pool);
    }
  };

  it.each([
    ...['127.0.0.2', '127.1.1.1', '0.0.0.0', '10.0.0.1', '192.168.1.1', '172.16.0.1', '169.254.169.254', '100.64.0.1'],
    ...['[::1]', '[::ffff:127.0.0.2]', '[::ffff:7f00:2]', '[fe80::1]', '[fd00:ec2::254]', '[64:ff9b::7f00:2]'],
    ...['2130706434', '0x7f000002', '0177.0.0.2', '127.2'],
  ])('connects to no %s', async (host) => {
    const { port, arrived } = await trap();
    expect(await get(`http://${host}:${port}`)).toBe('EGRESS_REFUSED');
    const single = pools.of('tenant', new URL(`http://${host}:${port}`)).single();
    await expect(single.request({ path: '/', method: 'GET' })).rejects.toMatchObject({ code: 'EGRESS_REFUSED' });
    await single.destroy();
    expect(await pools.of('tenant', new URL(`http://${host}:${port}`)).canConnect()).toBe(false);
    expect(arrived()).toBe(0);
  });

  it.each([
    ['a private address', '127.0.0.2'],
    ['a private one among others', '127.0.0.1 127.0.0.2'],
    ['a mapped one', '::ffff:127.0.0.2'],
    ['metadata', '169.254.169.254'],
    ['nothing', ''],
  ])('connects to no name that stands for %s', async (_what, addresses) => {
    const { port, arrived } = await trap();
    names['inside.test'] = [addresses];
    expect(await get(`http://inside.test:${port}`)).toBe('EGRESS_REFUSED');
    expect(arrived()).toBe(0);
  });

  it('checks at each connection: a name that stands for something else the second time is refused then', async () => {
    const server = createServer((_request, response) => response.setHeader('connection', 'close').end('well'));
    const port = await listen(server);
    let arrived = 0;
    await listen(
      createTcpServer((socket) => {
        arrived += 1;
        socket.destroy();
      }),
      '127.0.0.2',
      port,
    );
    names['rebound.test'] = ['127.0.0.1', '127.0.0.2'];
    expect(await get(`http://rebound.test:${port}`)).toBe('200 well');
    expect(await get(`http://rebound.test:${port}`)).toBe('EGRESS_REFUSED');
    expect(arrived).toBe(0);
  });

  it('uses connections again, for the same tenant alone', async () => {
    const sockets = new Map<string, Set<unknown>>();
    const port = await listen(
      createServer((request, response) => {
        const host = request.headers.host?.split(':')[0] ?? '';
        sockets.set(host, (sockets.get(host) ?? new Set()).add(request.socket));
        response.end('ok');
      }),
    );
    names = { 'one.test': ['127.0.0.1'], 'two.test': ['127.0.0.1'] };
    for (let i = 0; i < 10; i += 1) {
      expect(await get(`http://one.test:${port}`, 'one')).toBe('200 ok');
      expect(await get(`http://two.test:${port}`, 'two')).toBe('200 ok');
    }
    const [one, two] = [sockets.get('one.test'), sockets.get('two.test')];
    expect(one?.size).toBeLessThanOrEqual(2);
    expect(two?.size).toBeLessThanOrEqual(2);
    expect([...(one ?? [])].filter((socket) => two?.has(socket))).toEqual([]);
    expect(pools.size).toBe(2);
    expect(pools.of('one', new URL(`http://two.test:${port}`))).not.toBe(
      pools.of('two', new URL(`http://two.test:${port}`)),
    );
  });

  it('keeps what waits for one tenant’s slow upstream from another tenant', async () => {
    await pools.close();
    pools = poolsWith({ connections: 2 });
    const held: (() => void)[] = [];
    let most = 0;
    const server = createServer((request, response) => {
      server.getConnections((_error, count) => (most = Math.max(most, count)));
      if (request.headers.host?.startsWith('slow')) held.push(() => response.end('late'));
      else response.end('soon');
    });
    const port = await listen(server);
    names = { 'slow.test': ['127.0.0.1'], 'quick.test': ['127.0.0.1'] };
    const waiting = Array.from({ length: 6 }, () => get(`http://slow.test:${port}`, 'one'));
    await eventually(() => held.length === 2);
    expect(await get(`http://quick.test:${port}`, 'one')).toBe('200 soon');
    expect(await get(`http://quick.test:${port}`, 'two')).toBe('200 soon');
    let done = false;
    const answers = Promise.all(waiting).finally(() => (done = true));
    await eventually(() => {
      for (const end of held.splice(0)) end();
      return done;
    });
    expect(await answers).toEqual(waiting.map(() => '200 late'));
    expect(most).toBeLessThanOrEqual(4);
  });

  it('verifies whose certificate it is', async () => {
    const [key, cert] = [readFileSync(`${TLS}.key`), readFileSync(`${TLS}.crt`, 'utf8')];
    const port = await listen(createTlsServer({ key, cert }, (_request, response) => response.end('safe')));
    names = { 'files.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] };
    const own = new URL(`https://files.test:${port}`);
    expect(await get(own.origin)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await pools.of('tenant', own).canConnect()).toBe(false);
    const before = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...before, cert]);
    try {
      await pools.close();
      expect(await get(own.origin)).toBe('200 safe');
      expect(await pools.of('tenant', own).canConnect()).toBe(true);
      expect(await get(`https://other.test:${port}`)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    } finally {
      tls.setDefaultCACertificates(before);
    }
  });

  it('takes no head larger than 16 KiB', async () => {
    const port = await listen(
      createTcpServer((socket) =>
        socket
          .on('error', () => undefined)
          .once('data', () => socket.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}\r\ncontent-length: 0\r\n\r\n`)),
      ),
    );
    expect(await get(`http://127.0.0.1:${port}`)).toBe('UND_ERR_HEADERS_OVERFLOW');
  });

  it('closes what nobody has used for long, and keeps what is in use', () => {
    const [one, two] = ['http://one.test', 'http://two.test'].map((origin) => pools.of('tenant', new URL(origin)));
    pools.hold(one!);
    nowMs = 299_000;
    pools.closeIdle();
    expect(pools.size).toBe(2);
    nowMs = 301_000;
    pools.closeIdle();
    expect([one!.closed, two!.closed]).toEqual([false, true]);
    pools.release(one!);
    pools.closeIdle();
    nowMs = 601_000;
    pools.closeIdle();
    expect(one!.closed).toBe(true);
    expect(pools.of('tenant', new URL('http://one.test'))).not.toBe(one);
  });

  it('keeps no more than it may: the longest unused goes, never one in use', async () => {
    await pools.close();
    pools = poolsWith({ pools: 2 });
    const [one, two] = ['http://one.test', 'http://two.test'].map((origin) => pools.of('tenant', new URL(origin)));
    pools.hold(one!);
    pools.hold(two!);
    pools.release(two!);
    const three = pools.of('tenant', new URL('http://three.test'));
    expect([one!.closed, two!.closed, pools.size]).toEqual([false, true, 2]);
    pools.hold(three);
    pools.of('tenant', new URL('http://four.test'));
    expect([one!.closed, three.closed, pools.size]).toEqual([false, false, 3]);
  });

  it('takes what goes from the tenant that has most: one with many origins pushes out nobody else’s', async () => {
    await pools.close();
    pools = poolsWith({ pools: 6 });
    const poolOf = (tenantId: string, n: number) => pools.of(tenantId, new URL(`http://o${n}.test`));
    const [few, one] = [[poolOf('few', 1), poolOf('few', 2)], poolOf('one', 1)];
    const many = Array.from({ length: 40 }, (_, n) => poolOf('many', n));
    expect([...few, one].map(({ closed }) => closed)).toEqual([false, false, false]);
    expect(many.flatMap(({ closed }, n) => (closed ? [] : n))).toEqual([37, 38, 39]);
    expect(pools.size).toBe(6);
    for (const pool of [...few, one]) {
      pools.hold(pool);
      pools.release(pool);
    }
    // What others open comes out of it, too, until it has no more than they.
    const fresh = [poolOf('fresh', 1), poolOf('few', 3)];
    expect(many.flatMap(({ closed }, n) => (closed ? [] : n))).toEqual([39]);
    expect([...few, one, ...fresh].map(({ closed }) => closed)).toEqual(Array(5).fill(false));
    pools.hold(few[0]!);
    pools.hold(few[1]!);
    poolOf('many', 40);
    expect([...few, one, ...fresh].map(({ closed }) => closed)).toEqual([false, false, false, false, true]);
  });

  it('ends everything when it is closed', async () => {
    const port = await listen(createServer(() => undefined));
    const asked = get(`http://127.0.0.1:${port}`);
    await pools.close();
    expect(await asked).toBe('UND_ERR_DESTROYED');
    expect(pools.size).toBe(0);
  });
});
