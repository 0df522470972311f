import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { GatewayEgress } from '../../src/modules/gateway/gateway-egress';
import { makeKey } from '../support/api-keys';
import { DnsServer } from '../support/dns-server';
import { draftRoute, makeRoute } from '../support/gateway-routes';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type TestApp } from '../support/running-app';
import { exchangeBytes, KEY, type Listening, Rig, serveHttp } from './gateway-front.harness';

const GET = `GET / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nConnection: close\r\n\r\n`;
const statusOf = (received: string): number => Number(received.slice(9, 12));

/** What names lead to where no upstream may be, of real answers of DNS. 127.0.0.1 stands for the public internet here. */
const CLOSED: [what: string, addresses: string[]][] = [
  ['a private address', ['127.0.0.2']],
  ['a private one among public ones', ['127.0.0.1', '127.0.0.2']],
  ['one of IPv6', ['::1']],
  ['a public one of IPv4 and a private one of IPv6', ['127.0.0.1', '::1']],
  ['one of IPv6 that maps IPv4', ['::ffff:127.0.0.2']],
  ['one of IPv6 that maps IPv4, in hexadecimal', ['::ffff:7f00:2']],
  ['one of IPv6 that translates IPv4', ['64:ff9b::7f00:2']],
  ['a link-local one', ['fe80::1']],
  ['where clouds give their metadata', ['169.254.169.254']],
  ['the metadata of a cloud by IPv6', ['fd00:ec2::254']],
  ['another name that leads to a private address', ['inside.test', '127.0.0.2']],
  ['this host', ['0.0.0.0']],
];

/** Listens on that address and counts who arrives. */
class Trap {
  arrived = 0;

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.arrived += 1;
      socket.on('error', () => undefined).destroy();
    });
  }

  static async on(address: string, port = 0): Promise<Trap> {
    const trap = new Trap(createServer());
    await once(trap.server.listen(port, address), 'listening');
    return trap;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    await once(this.server.close(), 'close');
  }
}

describe('the name of an upstream', () => {
  const opened: { close(): Promise<void> }[] = [];
  let dns: DnsServer;

  beforeEach(async () => {
    dns = await DnsServer.start();
    opened.push(dns);
  });
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  const kept = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  const egressFor = (...allowed: string[]) => new GatewayEgress({ allowed, dnsServers: [dns.address] });
  const rigFor = async (url: string): Promise<Rig> =>
    kept(await new Rig([url], { egress: egressFor('127.0.0.1') }).open());

  it.each(CLOSED)('that leads to %s is refused when saved and when connected to', async (_what, addresses) => {
    const trap = kept(await Trap.on('::'));
    dns.names['shop.test'] = [addresses];
    const url = `http://shop.test:${trap.port}`;
    expect(await egressFor('127.0.0.1').verdictOn(url)).toBe('refused');
    const rig = await rigFor(url);
    const received = await exchangeBytes(rig.port, GET);
    expect([statusOf(received), received.includes('"BAD_GATEWAY"')]).toEqual([502, true]);
    expect(received).not.toMatch(/shop\.test|127\.0|::/);
    expect(rig.balancer.told).toMatchObject([{ failures: ['refused'], releases: 1 }]);
    expect(trap.arrived).toBe(0);
  });

  describe('that leads to a public address at first', () => {
    let upstream: Listening;
    let hosts: string[];

    beforeEach(async () => {
      hosts = [];
      upstream = kept(
        await serveHttp((request, response) => {
          hosts.push(request.headers.host ?? '');
          response.setHeader('connection', 'close').end('well');
        }),
      );
    });

    it.each([
      ['a private address', '127.0.0.2', '127.0.0.2'],
      ['a mapped one', '::ffff:127.0.0.2', '127.0.0.2'],
      ['one of IPv6', '::1', '::1'],
    ])('is refused at the connection after it has changed to %s', async (_what, changed, trapped) => {
      const trap = kept(await Trap.on(trapped, upstream.port));
      dns.names['shop.test'] = [['127.0.0.1'], [changed]];
      const rig = await rigFor(`http://shop.test:${upstream.port}`);
      expect(await exchangeBytes(rig.port, GET)).toMatch(/^HTTP\/1.1 200 [^]*well$/);
      // What was checked is what was connected to: there is no second look between the two that could be answered otherwise.
      expect(dns.asked.toSorted()).toEqual(['A shop.test', 'AAAA shop.test']);
      expect(statusOf(await exchangeBytes(rig.port, GET))).toBe(502);
      expect(dns.asked).toHaveLength(4);
      expect([hosts, trap.arrived]).toEqual([[`shop.test:${upstream.port}`], 0]);
      expect(rig.balancer.told).toMatchObject([{ statuses: [200] }, { failures: ['refused'] }]);
    });

    it('is asked for anew at each connection, however long its answers may be kept', async () => {
      dns.names['shop.test'] = [['127.0.0.1'], ['first.test', '127.0.0.1'], ['127.0.0.1', '127.0.0.1']];
      const rig = await rigFor(`http://shop.test:${upstream.port}`);
      for (let n = 1; n <= 3; n += 1) {
        expect(statusOf(await exchangeBytes(rig.port, GET))).toBe(200);
        expect(dns.asked).toHaveLength(2 * n);
      }
    });
  });

  it('of which DNS says nothing is 502 for all, and holds up nobody else', async () => {
    const upstream = kept(await serveHttp((_request, response) => void response.end('well')));
    dns.silent.add('silent.test');
    dns.names['shop.test'] = [['127.0.0.1']];
    const [silent, well] = [
      await rigFor(`http://silent.test:${upstream.port}`),
      await rigFor(`http://shop.test:${upstream.port}`),
    ];
    const waiting = Array.from({ length: 20 }, () => exchangeBytes(silent.port, GET));
    expect(statusOf(await exchangeBytes(well.port, GET))).toBe(200);
    expect((await Promise.all(waiting)).map(statusOf).every((status) => status === 502 || status === 503)).toBe(true);
    expect(await egressFor('127.0.0.1').verdictOn('http://silent.test')).toBe('unknown');
  });

  describe('of a route', () => {
    let app: TestApp;
    let http: HttpClient;
    let client: HttpClient;

    beforeAll(async () => {
      app = await startTestApp();
      http = (await app.login('TENANT_ADMIN')).http;
      client = (await makeKey(app, http, { role: 'AGENT' })).http;
    });
    afterAll(() => app.close());

    // The service asks the system's servers: here it asks those of the test, of whom it knows no more.
    beforeEach(() => {
      const asking = egressFor();
      jest.spyOn(app.app.get(GatewayEgress), 'resolve').mockImplementation((name) => asking.resolve(name));
    });
    afterEach(() => void jest.restoreAllMocks());

    it.each(CLOSED)('is refused when it leads to %s', async (_what, addresses) => {
      dns.names['shop.test'] = [addresses];
      const draft = draftRoute({ upstreams: [{ url: 'https://1.1.1.1' }, { url: 'http://shop.test:8080' }] });
      const answer = await http.post<{ details: { field: string }[] }>('/gateway/routes', draft);
      expect(answer.outcome).toBe('400 VALIDATION_FAILED');
      expect(answer.body.details.map(({ field }) => field)).toEqual(['upstreams.1.url']);
      expect(answer.text).not.toMatch(/127\.0|169\.254|::/);
    });

    it('is refused at the connection where it led to the public internet when it was saved', async () => {
      const trap = kept(await Trap.on('127.0.0.1'));
      dns.names['shop.test'] = [['1.1.1.1', '2606:4700::1111'], ['127.0.0.1']];
      const route = await makeRoute(http, { path: '/rebound', upstreams: [{ url: `http://shop.test:${trap.port}` }] });
      expect(route.warnings).toEqual([]);
      const answer = await client.get('/rebound');
      expect(answer.outcome).toBe('502 BAD_GATEWAY');
      expect(answer.text).not.toContain('shop.test');
      expect(dns.asked).toHaveLength(4);
      const change = await http.call('PATCH', `/gateway/routes/${route.id}`, { upstreams: route.upstreams });
      expect(change.outcome).toBe('400 VALIDATION_FAILED');
      expect(trap.arrived).toBe(0);
    });
  });
});
