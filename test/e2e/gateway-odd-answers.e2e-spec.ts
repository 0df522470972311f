import { exchangeBytes, KEY, type Listening, Rig, serveSockets } from './gateway-front.harness';

const OK = 'HTTP/1.1 200 OK\r\n';
const GOOD = `${OK}Content-Length: 4\r\n\r\ngood`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const get = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nConnection: close\r\n\r\n`;

/** What an upstream may come up with, whether it then closes, and what the client gets: a status, or a cut in mid-body. */
const ODD: [what: string, bytes: string, closes: boolean, outcome: number | 'cut'][] = [
  ['Trailer beside Content-Length', `${OK}Trailer: X-A\r\nContent-Length: 2\r\n\r\nok`, false, 200],
  ['Trailer without any length', `${OK}Trailer: X-A\r\n\r\nok`, true, 200],
  [
    'Transfer-Encoding beside Content-Length',
    `${OK}${CHUNKED}Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    true,
    502,
  ],
  ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`, true, 502],
  ['a length that is none', `${OK}Content-Length: two\r\n\r\nok`, true, 502],
  ['a negative length', `${OK}Content-Length: -2\r\n\r\nok`, true, 502],
  ['a body that is too short', `${OK}Content-Length: 9\r\n\r\nok`, true, 'cut'],
  ['a body that is too long', `${OK}Content-Length: 2\r\n\r\nokay and more`, true, 200],
  ['a body after 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok', true, 204],
  ['a body after 304', 'HTTP/1.1 304 Not Modified\r\n\r\nok', true, 304],
  ['status 99', 'HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n', true, 502],
  ['status 000', 'HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n', true, 502],
  ['status 1000', 'HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n', true, 502],
  ['status 999', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', false, 999],
  ['a status of letters', 'HTTP/1.1 abc Odd\r\n\r\n', true, 502],
  ['no reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', false, 200],
  ['a reason that is not ASCII', 'HTTP/1.1 200 \u00c3\u00bc\u0001\r\nContent-Length: 2\r\n\r\nok', false, 200],
  ['an unasked 100', `HTTP/1.1 100 Continue\r\n\r\n${GOOD}`, false, 200],
  ['a thousand of them', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)}${GOOD}`, false, 200],
  ['a 100 that has a length', `HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n${GOOD}`, false, 200],
  ['a 100 that has a body', `HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nok${GOOD}`, true, 502],
  [
    'a 100 that wants another protocol',
    `HTTP/1.1 100 Go\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${GOOD}`,
    true,
    200,
  ],
  ['headers of 20 KiB in a 100', `HTTP/1.1 100 Go\r\nX-A: ${'a'.repeat(20_480)}\r\n\r\n${GOOD}`, true, 502],
  ['nothing after a 100', 'HTTP/1.1 100 Continue\r\n\r\n', true, 502],
  [
    'an unasked 101',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    false,
    502,
  ],
  ['101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', false, 502],
  ['a control byte in a value', `${OK}X-A: a\u0001b\r\nContent-Length: 2\r\n\r\nok`, true, 502],
  ['NUL in a value', `${OK}X-A: a\0b\r\nContent-Length: 2\r\n\r\nok`, true, 502],
  ['a blank in a name', `${OK}X A: 1\r\nContent-Length: 2\r\n\r\nok`, true, 502],
  ['a header without a name', `${OK}: 1\r\nContent-Length: 2\r\n\r\nok`, true, 502],
  ['a header called __proto__', `${OK}__proto__: 1\r\n__proto__: 2\r\nContent-Length: 2\r\n\r\nok`, false, 200],
  ['headers of 20 KiB', `${OK}X-A: ${'a'.repeat(20_480)}\r\nContent-Length: 2\r\n\r\nok`, true, 502],
  ['five hundred headers', `${OK}${'X-A: 1\r\n'.repeat(500)}Content-Length: 2\r\n\r\nok`, false, 200],
  ['a chunk that is none', `${OK}${CHUNKED}\r\nzz\r\nok\r\n`, true, 'cut'],
  ['chunks without an end', `${OK}${CHUNKED}\r\n2\r\nok\r\n`, true, 'cut'],
  ['another coding', `${OK}Transfer-Encoding: gzip\r\n\r\nok`, true, 502],
  ['another coding in chunks', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, true, 502],
  ['two codings in two headers', `${OK}Transfer-Encoding: gzip\r\n${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`, true, 502],
  ['chunks twice', `${OK}${CHUNKED}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`, true, 502],
  ['chunks in capitals', `${OK}Transfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, false, 200],
  [
    'Connection that names everything',
    `${OK}Connection: content-length, date, x-request-id\r\nContent-Length: 2\r\n\r\nok`,
    false,
    200,
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok', true, 200],
  ['HTTP/0.9', 'ok', true, 502],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n', true, 502],
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n', true, 502],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000', true, 502],
  ['nothing', '', true, 502],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-Le', true, 502],
  ['two answers at once', `${GOOD}${GOOD}`, false, 200],
];

describe('an upstream that answers oddly', () => {
  let upstream: Listening;
  let rig: Rig;
  let bytes = '';
  let closes = false;
  const troubles: unknown[] = [];
  const note = (trouble: unknown): void => void troubles.push(trouble);

  beforeAll(async () => {
    process.on('uncaughtException', note).on('unhandledRejection', note);
    upstream = await serveSockets((socket) => {
      let head = '';
      socket.on('data', (chunk: Buffer) => {
        head += chunk.toString('latin1');
        if (!head.endsWith('\r\n\r\n')) return;
        const isGood = head.startsWith('GET /good');
        head = '';
        socket.write(isGood ? GOOD : bytes, 'latin1', () => {
          if (!isGood && closes) socket.end();
        });
      });
    });
    rig = await new Rig([upstream.url]).open();
  });

  afterAll(async () => {
    process.off('uncaughtException', note).off('unhandledRejection', note);
    await rig.close();
    await upstream.close();
  });

  it.each(ODD)('with %s stalls and ends nothing', async (_what, odd, then, outcome) => {
    [bytes, closes] = [odd, then];
    const received = await exchangeBytes(rig.port, get('/odd'));
    if (outcome === 'cut') {
      expect(received).toMatch(/^HTTP\/1.1 200/);
      expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
      if (/content-length/i.test(odd)) expect(received).toMatch(/content-length: 9\r\n[^]*\r\n\r\nok$/i);
    } else expect(Number(received.slice(9, 12))).toBe(outcome);
    if (outcome === 502) expect(received).toContain('"code":"BAD_GATEWAY"');
    if (outcome === 200) expect(received).toMatch(/ok|good/);
    expect(received.match(/^HTTP\/1.1 /gm)).toHaveLength(1);

    const good = await exchangeBytes(rig.port, get('/good'));
    expect(good).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\ngood$/);
    expect(rig.balancer.told.map(({ releases }) => releases)).toEqual(rig.balancer.told.map(() => 1));
    expect(rig.front.openExchanges).toBe(0);
    expect(troubles).toEqual([]);
  });
});
