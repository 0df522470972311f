import type { RequestListener } from 'node:http';
import { exchangeBytes, KEY, Rig, serveBytes, serveHttp, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const get = (method = 'GET'): string => `${method} / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`;
const statusOf = (received: string): number => Number(received.slice(9, 12));

describe('where no retry does better', () => {
  const opened: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  const rigFor = async (urls: string[], options: ConstructorParameters<typeof Rig>[1] = {}): Promise<Rig> => {
    const rig = await new Rig(urls, { ...options, route: { retries: 5, ...options.route } }).open();
    opened.unshift(rig);
    return rig;
  };
  const urlOf = async (handler: RequestListener): Promise<string> => {
    const upstream = await serveHttp(handler);
    opened.push(upstream);
    return upstream.url;
  };
  const answering = (status: number, body: string): Promise<string> =>
    urlOf((_incoming, response) => {
      const headers = { 'x-own': body.slice(0, 9), 'content-length': String(body.length) };
      response.writeHead(status, headers).end(body);
    });
  const closedUrl = async (): Promise<string> => {
    const upstream = await serveHttp(() => undefined);
    await upstream.close();
    return upstream.url;
  };

  it.each(['GET', 'HEAD'])(
    "the first failure's answer to %s stands, after one that cannot be reached",
    async (method) => {
      const [busy, closed] = [await answering(503, 'first'), await closedUrl()];
      const rig = await rigFor([busy, closed]);
      const received = await exchangeBytes(rig.port, get(method));
      expect(received).toMatch(/^HTTP\/1.1 503 [^]*x-own: first/);
      expect(received.endsWith('first')).toBe(method === 'GET');
      expect(rig.balancer.told).toEqual([
        { url: busy, statuses: [503], failures: [], releases: 1 },
        { url: closed, statuses: [], failures: ['unreachable'], releases: 1 },
      ]);
      expect(await rig.untilEnded(1)).toMatchObject({ status: 503, attempts: 2 });
    },
  );

  it('the first answer stands after another failing answer, and the first failure after anything', async () => {
    const rig = await rigFor([await answering(503, 'first'), await answering(502, 'second')]);
    expect(await exchangeBytes(rig.port, get())).toMatch(/^HTTP\/1.1 503 [^]*first$/);
    const never = await urlOf(() => undefined);
    const slow = await rigFor([never, await closedUrl()], { route: { timeoutMs: 50 } });
    expect(statusOf(await exchangeBytes(slow.port, get()))).toBe(504);
    expect([rig, slow].flatMap(({ balancer }) => balancer.told.map(({ releases }) => releases))).toEqual([1, 1, 1, 1]);
  });

  it('it stands whole, however large it is and however late its end comes', async () => {
    const large = 'b'.repeat(3_000_000);
    const rig = await rigFor([await answering(503, large), await closedUrl()]);
    const received = await exchangeBytes(rig.port, get());
    expect(statusOf(received)).toBe(503);
    expect(received.match(/b/g)?.length).toBeGreaterThanOrEqual(large.length);

    let end: (() => void) | undefined;
    const dawdling = await urlOf((_incoming, response) => {
      response.writeHead(503, { 'content-length': '8' }).write('half');
      end = () => response.end('done');
    });
    const other = await rigFor([dawdling, await closedUrl()]);
    const halves = exchangeBytes(other.port, get());
    await until(() => other.balancer.told[1]?.failures.length === 1);
    end?.();
    expect(await halves).toMatch(/^HTTP\/1.1 503 [^]*\r\n\r\nhalfdone$/);
    expect(other.balancer.told).toMatchObject([{ releases: 1 }, { releases: 1 }]);
  });

  it('is 502 where the answer that was kept breaks off before it is known', async () => {
    const broken = await serveBytes('HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\npart', true);
    opened.push(broken);
    const never = await urlOf(() => undefined);
    const rig = await rigFor([broken.url, never], { route: { timeoutMs: 1000 } });
    const received = await exchangeBytes(rig.port, get());
    expect([statusOf(received), received.includes('"BAD_GATEWAY"')]).toEqual([502, true]);
    expect(rig.balancer.told).toMatchObject([
      { statuses: [503], failures: ['broken'], releases: 1 },
      { failures: ['timeout'], releases: 1 },
    ]);
  });

  it('lets go of what was kept when a retry does better, and when the client leaves', async () => {
    const gone: string[] = [];
    const begun = (name: string): Promise<string> =>
      urlOf((incoming, response) => {
        incoming.socket.on('close', () => gone.push(name));
        response.writeHead(503, { 'content-length': '8' }).write('half');
      });
    const good = await rigFor([await begun('first'), await answering(200, 'good')]);
    expect(await exchangeBytes(good.port, get())).toMatch(/^HTTP\/1.1 200 [^]*good$/);
    await until(() => gone.includes('first'));

    const never = await urlOf((incoming) => void incoming.socket.on('close', () => gone.push('never')));
    const left = await rigFor([await begun('second'), never]);
    const asking = new AbortController();
    const call = fetch(left.url, { headers: { 'x-api-key': KEY }, signal: asking.signal }).catch(() => undefined);
    await until(() => left.balancer.told.length === 2);
    asking.abort();
    await call;
    await until(() => gone.includes('second'));
    await left.untilEnded(1);
    expect(left.balancer.told).toMatchObject([{ releases: 1 }, { releases: 1, failures: [] }]);
  });
});
