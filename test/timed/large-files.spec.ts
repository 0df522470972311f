import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FORM_HEADERS, formOf, type WireFile } from '../support/files';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { type Store, STORES } from '../support/stores';

const MIB = 1024 * 1024;
const MAX_BYTES = 50 * MIB;
const MAX_EXTRA_BYTES = 20 * MIB;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this process holds that somebody still needs: heap and buffers. */
function heldBytes(): number {
  collect();
  collect(); // what the first found dead is given back by the time of the second
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** When nothing is under way: what is over, an earlier spec file of the worker too, is let go of some rounds later. */
async function heldAtRest(): Promise<number> {
  let least = Infinity;
  for (let n = 0; n < 10; n += 1) {
    await sleep(20);
    least = Math.min(least, heldBytes());
  }
  return least;
}

describe.each(STORES)('a file of 50 MiB on %s', (name, startStore) => {
  let app: TestApp;
  let store: Store;
  let user: LoggedIn;

  beforeAll(async () => {
    store = await startStore();
    app = await startTestApp({ config: store.config });
    user = await app.login('MANAGER');
  }, 120_000);

  afterAll(async () => {
    await app.close();
    await store.close();
  });

  /** Does the work, and answers by how much memory grew at most meanwhile, as seen every few megabytes. */
  const growthOf = async (work: (look: () => void) => Promise<void>): Promise<number> => {
    const before = await heldAtRest();
    let most = before;
    await work(() => (most = Math.max(most, heldBytes())));
    return most - before;
  };

  /** A form whose file has so many bytes, made as it is sent. */
  function* form(sizeBytes: number, look: () => void): Generator<Buffer> {
    const whole = formOf({ filename: 'large.bin', bytes: 'X' });
    const at = whole.lastIndexOf('X\r\n');
    yield whole.subarray(0, at);
    const piece = Buffer.alloc(64 * 1024, 7);
    for (let left = sizeBytes; left > 0; left -= piece.length) {
      if (left % (4 * MIB) < piece.length) look();
      yield piece.subarray(0, Math.min(left, piece.length));
    }
    yield whole.subarray(at + 1);
  }

  const post = (sizeBytes: number, look: () => void): Promise<Response> =>
    fetch(`${app.url}/files`, {
      ...{ method: 'POST', duplex: 'half', body: Readable.toWeb(Readable.from(form(sizeBytes, look))) },
      headers: { ...FORM_HEADERS, authorization: `Bearer ${user.http.accessToken}` },
    });

  it('goes up and down in less than 20 MiB of further memory, client included, and a byte more does not', async () => {
    await post(MIB, () => undefined); // what is loaded at the first use is no part of it
    let file = {} as WireFile;
    const up = await growthOf(async (look) => {
      const answer = await post(MAX_BYTES, look);
      expect(answer.status).toBe(201);
      file = (await answer.json()) as WireFile;
    });
    expect(file.size).toBe(MAX_BYTES);
    const down = await growthOf(async (look) => {
      const answer = await fetch(`${app.url}/files/${file.id}`, {
        headers: { authorization: `Bearer ${user.http.accessToken}` },
      });
      const hash = createHash('sha256');
      let seen = 0;
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
        if (Math.floor(seen / (4 * MIB)) !== Math.floor((seen + chunk.length) / (4 * MIB))) look();
        seen += chunk.length;
        hash.update(chunk);
      }
      expect([seen, hash.digest('hex')]).toEqual([MAX_BYTES, file.sha256]);
    });
    console.log(
      `50 MiB on ${name}: up ${(up / MIB).toFixed(1)} MiB, down ${(down / MIB).toFixed(1)} MiB of further memory`,
    );
    expect(up).toBeLessThan(MAX_EXTRA_BYTES);
    expect(down).toBeLessThan(MAX_EXTRA_BYTES);

    const before = (await store.objects(app.tenantId)).length;
    const refused = await post(MAX_BYTES + 1, () => undefined);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([413, 'FILE_TOO_LARGE']);
    expect((await store.objects(app.tenantId)).length).toBe(before);
    expect(await store.unfinished()).toBe(0);
  }, 180_000);
});
