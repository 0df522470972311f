import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import tls from 'node:tls';
import { gzipSync } from 'node:zlib';
import { Egress, type EgressRequest } from './egress';
import type { EgressFailure } from './egress-failure';

const PLENTY: EgressRequest = { maxBytes: 1_000_000 };
const TLS = path.join(__dirname, '../../../test/fixtures/tls/files.test');

describe('Egress', () => {
  const open: (Server | TcpServer)[] = [];
  /** What names stand for; each look-up takes the next of the list, the last one again and again. */
  let names: Record<string, string[]> = {};
  let lookUps: string[] = [];
  const egress = new Egress({
    allowed: ['127.0.0.1'],
    resolve: async (hostname) => {
      lookUps.push(hostname);
      const listed = names[hostname];
      if (!listed) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      const next = (listed.length > 1 ? listed.shift() : listed[0]) ?? '';
      return Promise.resolve(next.split(' ').map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
    },
  });

  const listen = async <T extends TcpServer>(server: T, address = '127.0.0.1'): Promise<number> => {
    open.push(server);
    server.listen(0, address);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const serve = async (answer: RequestListener): Promise<string> =>
    `http://127.0.0.1:${await listen(createServer(answer))}`;
  const outcomeOf = async (address: string, request: Partial<EgressRequest> = {}): Promise<string> => {
    try {
      const { status, body } = await egress.fetch(address, { ...PLENTY, ...request });
      return `${status} ${(await buffer(body)).toString()}`;
    } catch (error) {
      return (error as EgressFailure).code;
    }
  };

  afterEach(async () => {
    names = {};
    lookUps = [];
    for (const server of open.splice(0)) {
      const closed = once(server, 'close');
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    }
  });

  it('streams what is there, as nobody in particular', async () => {
    let seen: unknown;
    const url = await serve((request, response) => {
      seen = request.headers;
      response.end('the file');
    });
    const answer = await egress.fetch(`${url}/a?b=c#d`, PLENTY);
    expect((await buffer(answer.body)).toString()).toBe('the file');
    expect(answer.status).toBe(200);
    expect(seen).toEqual({
      ...{ host: url.slice('http://'.length), connection: 'close', 'user-agent': 'Switchboard' },
      ...{ accept: '*/*', 'accept-encoding': 'identity' },
    });
  });

  it('passes over a 100 Continue that nobody asked for', async () => {
    const port = await listen(
      createTcpServer((socket) =>
        socket
          .on('error', () => undefined)
          .once('data', () =>
            socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes'),
          ),
      ),
    );
    for (const method of ['GET', 'POST'] as const)
      expect(await outcomeOf(`http://127.0.0.1:${port}/`, { method })).toBe('200 yes');
  });

  it.each([
    ...['ftp://example.com/a', 'file:///etc/passwd', 'data:text/plain,a', 'gopher://example.com/', 'nothing', ''],
    ...['http://user@example.com/', 'http://user:word@example.com/', `https://example.com/${'a'.repeat(2_048)}`],
    ...['http://10.0.0.1/', 'http://169.254.169.254/latest/meta-data/', 'http://[::1]/', 'http://0x7f000002/'],
    ...['http://2130706434/', 'http://0177.0.0.2/', 'http://127.2/', 'http://[::ffff:10.0.0.1]/', 'http://[fe80::1]/'],
    ...['http://[64:ff9b::a00:1]/', 'http://[2002:a00:1::]/', 'http://１０.0.0.1/'],
  ])('refuses %s without asking anybody', async (address) => {
    expect(() => egress.check(address)).toThrow(expect.objectContaining({ code: 'EGRESS_REFUSED' }) as Error);
    expect(await outcomeOf(address)).toBe('EGRESS_REFUSED');
    expect(lookUps).toEqual([]);
  });

  describe('with names', () => {
    it('connects to what the name stands for, and looks once', async () => {
      const url = new URL(await serve((_request, response) => response.end('by name')));
      names['files.test'] = ['127.0.0.1'];
      expect(await outcomeOf(`http://files.test:${url.port}/`)).toBe('200 by name');
      expect(lookUps).toEqual(['files.test']);
    });

    it('refuses one that stands for a private address, alone or among others', async () => {
      let asked = 0;
      const port = await listen(
        createServer((_request, response) => {
          asked += 1;
          response.end();
        }),
        '127.0.0.2',
      );
      names = {
        'inside.test': ['127.0.0.2'],
        'both.test': ['127.0.0.1 127.0.0.2'],
        'mapped.test': ['::ffff:127.0.0.2'],
      };
      for (const name of Object.keys(names))
        expect([name, await outcomeOf(`http://${name}:${port}/`)]).toEqual([name, 'EGRESS_REFUSED']);
      expect(asked).toBe(0);
    });

    it('checks every connection anew: a name that stands for something else the second time is refused then', async () => {
      const url = new URL(await serve((_request, response) => response.writeHead(302, { location: '/again' }).end()));
      names['rebound.test'] = ['127.0.0.1', '127.0.0.2'];
      expect(await outcomeOf(`http://rebound.test:${url.port}/`)).toBe('EGRESS_REFUSED');
      expect(lookUps).toEqual(['rebound.test', 'rebound.test']);
    });

    it('tells one that nobody knows from one that is refused', async () => {
      expect(await outcomeOf('http://nobody.test/')).toBe('EGRESS_FAILED');
    });
  });

  describe('with redirects', () => {
    it('follows five, and no sixth', async () => {
      const url = await serve((request, response) => {
        const left = Number(request.url?.slice(1));
        if (left === 0) response.end('arrived');
        else response.writeHead(307, { location: `/${left - 1}` }).end('not this');
      });
      expect(await outcomeOf(`${url}/5`)).toBe('200 arrived');
      expect(await outcomeOf(`${url}/6`)).toBe('EGRESS_REFUSED');
    });

    it.each([
      'http://127.0.0.2/',
      'http://10.0.0.1/',
      '//[::1]/',
      'ftp://example.com/',
      'http://a:b@example.com/',
      'http://[',
    ])('does not follow one to %s', async (location) => {
      const url = await serve((_request, response) => response.writeHead(301, { location }).end());
      expect(await outcomeOf(url)).toBe('EGRESS_REFUSED');
    });

    it('does not take the caller’s headers to another origin', async () => {
      const seen: unknown[] = [];
      const other = await serve((request, response) => {
        seen.push(request.headers['x-signature']);
        response.end('other');
      });
      const url = await serve((request, response) => {
        seen.push(request.headers['x-signature']);
        response.writeHead(302, { location: other }).end();
      });
      expect(await outcomeOf(url, { headers: { 'x-signature': 'abc' } })).toBe('200 other');
      expect(seen).toEqual(['abc', undefined]);
    });

    it('posts where it was told to, and nowhere else', async () => {
      const url = await serve((request, response) => {
        void buffer(request).then((body) =>
          response.writeHead(302, { location: '/again' }).end(`not ${body.toString()}`),
        );
      });
      expect(await outcomeOf(url, { method: 'POST', body: 'there' })).toBe('302 not there');
    });

    it('goes from http to https, never back, and checks whose certificate it is', async () => {
      const [key, cert] = [readFileSync(`${TLS}.key`), readFileSync(`${TLS}.crt`, 'utf8')];
      const plain = await serve((_request, response) => response.end('plain'));
      const port = await listen(
        createTlsServer({ key, cert }, (request, response) => {
          if (request.url === '/down') response.writeHead(302, { location: plain }).end();
          else response.end('safe');
        }),
      );
      names = { 'files.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] };
      const up = await serve((_request, response) =>
        response.writeHead(302, { location: `https://files.test:${port}/` }).end(),
      );
      expect(await outcomeOf(up)).toBe('EGRESS_FAILED');
      const before = tls.getCACertificates('default');
      tls.setDefaultCACertificates([...before, cert]);
      try {
        expect(await outcomeOf(up)).toBe('200 safe');
        expect(await outcomeOf(`https://files.test:${port}/down`)).toBe('EGRESS_REFUSED');
        expect(await outcomeOf(`https://other.test:${port}/`)).toBe('EGRESS_FAILED');
      } finally {
        tls.setDefaultCACertificates(before);
      }
    });
  });

  describe('with limits', () => {
    it('ends what says that it is too large, and what turns out to be', async () => {
      let sent = 0;
      const url = await serve((request, response) => {
        if (request.url === '/said') return response.writeHead(200, { 'content-length': 1_000_001 }).write('a');
        const more = (): void => {
          while (!response.destroyed && sent < 500_000_000) {
            sent += 65_536;
            if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more);
          }
        };
        return more();
      });
      expect(await outcomeOf(`${url}/said`)).toBe('FILE_TOO_LARGE');
      expect(await outcomeOf(`${url}/unsaid`)).toBe('FILE_TOO_LARGE');
      expect(sent).toBeLessThan(20_000_000);
    });

    it('takes exactly the limit', async () => {
      const url = await serve((_request, response) => response.end('12345'));
      expect(await outcomeOf(url, { maxBytes: 5 })).toBe('200 12345');
      expect(await outcomeOf(url, { maxBytes: 4 })).toBe('FILE_TOO_LARGE');
    });

    it('unpacks nothing: a bomb stays as small as it came', async () => {
      const bomb = gzipSync(Buffer.alloc(20_000_000));
      const url = await serve((_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      );
      const { body } = await egress.fetch(url, PLENTY);
      expect((await buffer(body)).equals(bomb)).toBe(true);
    });

    it('waits for headers and for the whole no longer than told', async () => {
      const silent = await serve(() => undefined);
      const slow = await serve((_request, response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(drip));
      });
      const begun = performance.now();
      expect(await outcomeOf(silent, { limits: { headersMs: 100 } })).toBe('EGRESS_FAILED');
      expect(await outcomeOf(slow, { limits: { totalMs: 200 } })).toBe('EGRESS_FAILED');
      expect(performance.now() - begun).toBeLessThan(3_000);
    });

    it('fails when the other side breaks off, speaks no HTTP, or is not there', async () => {
      const cut = await serve((_request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half');
        setTimeout(() => response.destroy(), 20);
      });
      const nonsense = await listen(
        createTcpServer((socket) =>
          socket
            .resume()
            .end('SSH-2.0-OpenSSH_9.9\r\n')
            .on('error', () => undefined),
        ),
      );
      expect(await outcomeOf(cut)).toBe('EGRESS_FAILED');
      expect(await outcomeOf(`http://127.0.0.1:${nonsense}/`)).toBe('EGRESS_FAILED');
      expect(await outcomeOf('http://127.0.0.1:9/')).toBe('EGRESS_FAILED');
    });

    it('ends when the caller ends it', async () => {
      const silent = await serve(() => undefined);
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 50);
      expect(await outcomeOf(silent, { signal: stop.signal })).toBe('EGRESS_FAILED');
    });
  });
});
