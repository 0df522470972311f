import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { FORM_HEADERS, formOf, type WireFile } from '../support/files';
import { startTestApp, type TestApp } from '../support/running-app';

/** Node looks for overdue requests as often as that. */
const LOOKS_EVERY_MS = 30_000;

describe('a file that takes longer than any other request may', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
    // Two minutes, only sooner.
    const server = app.app.getHttpServer();
    server.requestTimeout = 1_000;
    server.headersTimeout = 1_000;
  }, 120_000);

  afterAll(() => app.close());

  /** The body, piece by piece for longer than until the next look. */
  async function* slowly(body: Buffer): AsyncGenerator<Buffer> {
    const pieces = 40;
    const each = Math.ceil(body.length / pieces);
    for (let n = 0; n < pieces; n += 1) {
      yield body.subarray(n * each, (n + 1) * each);
      await sleep((1.1 * LOOKS_EVERY_MS) / pieces);
    }
  }

  it('is stored as long as it comes in, and nothing else is let', async () => {
    const { http } = await app.login('MANAGER');
    const send = (path: string, body: Buffer, headers: object) =>
      fetch(app.url + path, {
        ...{ method: 'POST', duplex: 'half', body: Readable.toWeb(Readable.from(slowly(body))) },
        headers: { ...headers, authorization: `Bearer ${http.accessToken}` },
      });
    const bytes = Buffer.alloc(4_000_000, 'a');
    const json = Buffer.from(JSON.stringify({ name: 'Submariner', price: 1, description: 'a'.repeat(5_000) }));
    const [file, product] = await Promise.all([
      send('/files', formOf({ filename: 'slow.txt', bytes }), FORM_HEADERS),
      send('/products', json, { 'content-type': 'application/json' }).catch((error: unknown) => error),
    ]);
    expect([file.status, ((await file.json()) as WireFile).size]).toEqual([201, bytes.length]);
    // The client may hear the refusal, or only that the connection is gone.
    expect(product instanceof Response ? product.status : 408).toBe(408);
    expect((await http.get<unknown[]>('/products')).body).toEqual([]);
  }, 90_000);
});
