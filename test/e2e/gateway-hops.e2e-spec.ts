import { exchangeBytes, KEY, type Listening, Rig, serveSockets } from './gateway-front.harness';

/** What an upstream is asked, byte by byte: headers that a client names in its `Connection` end here, the gateway's own never. */
describe('a Connection header that names what a request needs', () => {
  let upstream: Listening;
  let rig: Rig;
  let heads: string[];

  beforeAll(async () => {
    upstream = await serveSockets((socket) => {
      let seen = '';
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        const end = seen.indexOf('\r\n\r\n');
        const isWhole = end >= 0 && (!/content-length: 2/i.test(seen) || seen.length === end + 6);
        if (!isWhole) return;
        heads.push(seen);
        seen = '';
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    rig = await new Rig([upstream.url], { route: { headers: { set: { 'x-set': 'route' }, remove: [] } } }).open();
  });

  afterAll(async () => {
    await rig.close();
    await upstream.close();
  });

  beforeEach(() => {
    heads = [];
  });

  /** The headers that the upstream was sent, and what came after them. */
  const passed = async (gateway: Rig, sent: string): Promise<{ headers: string[]; body: string }> => {
    expect(await exchangeBytes(gateway.port, sent, 'ok')).toMatch(/^HTTP\/1.1 200 /);
    const [head = '', body = ''] = (heads[0] ?? '').split('\r\n\r\n');
    return { headers: head.toLowerCase().split('\r\n').slice(1), body };
  };
  const authority = (): string => `host: ${new URL(upstream.url).host}`;
  const count = (headers: string[], name: string): number =>
    headers.filter((line) => line.startsWith(`${name}:`)).length;

  it.each(['Host', 'host, X-Api-Key', 'keep-alive, HOST'])('"%s" costs no header its place', async (named) => {
    const bytes = `GET / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nX-First: 1\r\nX-Second: 2\r\nConnection: ${named}\r\n\r\n`;
    const { headers } = await passed(rig, bytes);
    expect(headers.slice(0, 1)).toEqual([authority()]);
    expect(headers).toEqual(expect.arrayContaining(['x-first: 1', 'x-second: 2', 'x-set: route']));
    expect([count(headers, 'host'), count(headers, 'x-api-key')]).toEqual([1, 0]);
  });

  it('costs nothing where there is no other header, with and without what a route sets', async () => {
    const bytes = `GET / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nConnection: Host\r\n\r\n`;
    const { headers } = await passed(rig, bytes);
    expect(headers).toEqual(expect.arrayContaining([authority(), 'x-set: route', 'x-forwarded-for: 127.0.0.1']));
    heads = [];
    const plain = await new Rig([upstream.url]).open();
    const bare = await passed(plain, bytes);
    expect(bare.headers).toEqual(expect.arrayContaining([authority(), 'x-forwarded-for: 127.0.0.1']));
    expect(count(bare.headers, 'host')).toBe(1);
    await plain.close();
  });

  it('leaves a body its length', async () => {
    const named = 'Connection: host, content-length, x-gone\r\nX-Gone: 1\r\n';
    const bytes = `POST / HTTP/1.1\r\n${named}Content-Length: 2\r\nHost: h\r\nX-API-Key: ${KEY}\r\n\r\nab`;
    const { headers, body } = await passed(rig, bytes);
    expect([headers[0], body]).toEqual([authority(), 'ab']);
    expect([count(headers, 'content-length'), count(headers, 'x-gone')]).toEqual([1, 0]);
  });
});
