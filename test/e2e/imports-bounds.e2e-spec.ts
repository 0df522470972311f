import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { UsageResponse } from '../../src/modules/tenants/dto/usage.response';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import { FORM_HEADERS, formOf } from '../support/files';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type TestApp } from '../support/running-app';
import { storageDifferences } from '../support/storage';
import { eventually } from '../support/wait';
import { ended, objectsIn, send } from './imports.harness';

let app: TestApp;
let replica: NestFastifyApplication;
let replicaUrl: string;
let folder: string;

// Neither works anything off: what comes in stays.
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'imports-'));
  app = await startTestApp({ config: { STORAGE_PATH: folder, ROLE: 'api' } });
  replica = await createTestApp({
    ...{ DATABASE_URL: app.db.ownerUrl, STORAGE_PATH: folder, ROLE: 'api' },
    RATE_LIMIT_PER_MINUTE: '100000',
  });
  await replica.listen(0, '127.0.0.1');
  replicaUrl = await replica.getUrl();
});

afterAll(async () => {
  await shutDown(replica, 20_000);
  await app.close();
  await rm(folder, { recursive: true });
});

/** Whatever a test does, the running totals are what is kept. */
afterEach(async () => expect(await storageDifferences(app.owner)).toEqual([]));

const MIB = 1024 * 1024;
const BODY = 'id,name,price\nb_1,Bound,1\n';

/** So many files at once, half of them to each process; answers how often each outcome came. */
async function sendMany(http: HttpClient, count: number, body: string): Promise<Record<string, number>> {
  const both = [http, http.at(replicaUrl)];
  const sending = Array.from({ length: count }, (_, n) => send(both[n % 2] as HttpClient, 'products', body));
  const outcomes = (await Promise.all(sending)).map(({ outcome }) => outcome);
  return Object.fromEntries([...new Set(outcomes)].map((each) => [each, outcomes.filter((o) => o === each).length]));
}

it('lets as many imports of a tenant wait as may, and no more, over two processes', async () => {
  const tenantId = await app.make.tenant();
  const { http } = await app.login('MANAGER', tenantId);
  expect(await sendMany(http, 60, BODY)).toEqual({ '202': 20, '429 RATE_LIMITED': 40 });
  expect(await objectsIn(folder, tenantId)).toHaveLength(20);
  const { http: other } = await app.login('MANAGER', await app.make.tenant());
  expect((await send(other, 'products', BODY)).status).toBe(202);
});

it('answers a repeated request with its import, also when no further one may begin', async () => {
  const { http } = await app.login('MANAGER', await app.make.tenant());
  const headers = {
    ...{ 'content-type': 'text/csv', 'idempotency-key': 'one-of-twenty' },
    'content-digest': `sha-256=:${createHash('sha256').update(BODY).digest('base64')}:`,
  };
  const first = await send(http, 'products', BODY, headers);
  await sendMany(http, 19, BODY);
  await app.owner.query(`update idempotency_keys set state = 'running', lease_until = now() where key = $1`, [
    headers['idempotency-key'],
  ]);
  const again = await send(http, 'products', BODY, headers);
  expect([first.status, again.status, again.body.job_id]).toEqual([202, 202, first.body.job_id]);
  expect((await send(http, 'products', BODY)).outcome).toBe('429 RATE_LIMITED');
});

it('counts files that wait to be imported as storage, to the byte, over two processes, until they are worked off', async () => {
  const tenantId = await app.make.tenant();
  await app.owner.query(`update tenants set quotas = '{"storage_bytes": 10000}' where id = $1`, [tenantId]);
  const { http } = await app.login('TENANT_ADMIN', tenantId);
  const used = async () => (await http.get<UsageResponse>('/tenants/current/usage')).body.storage_bytes.used;
  const large = `id,name,price,description\nb_2,Bound,1,`.padEnd(2_999, 'x') + '\n';
  expect(await sendMany(http, 8, large)).toEqual({ '202': 3, '402 PLAN_LIMIT_REACHED': 5 });
  expect([await used(), (await objectsIn(folder, tenantId)).length]).toEqual([9_000, 3]);
  const { rows } = await app.owner.query<{ id: string }>('select id from imports where tenant_id = $1', [tenantId]);
  expect(rows).toHaveLength(3);
  // Far more than there is room for: it is broken off before it has come to its end.
  expect((await send(http, 'products', 'id,name,price\n'.padEnd(2_000_000, 'x'))).outcome).toBe(
    '402 PLAN_LIMIT_REACHED',
  );
  const worker = await createTestApp({ DATABASE_URL: app.db.ownerUrl, STORAGE_PATH: folder, ROLE: 'worker' });
  await worker.init();
  try {
    for (const { id } of rows) expect((await ended(http, id)).status).toBe('finished');
    await eventually(async () => (await used()) === 0, { what: 'the files to go' });
  } finally {
    await shutDown(worker, 20_000);
  }
  expect(await objectsIn(folder, tenantId)).toEqual([]);
});

it('reads no refused file to its end: the client hears the answer, and what never ends is cut off', async () => {
  const { http } = await app.login('MANAGER', await app.make.tenant());
  const piece = Buffer.alloc(256 * 1024, 'x');
  const outcomes = [
    ['text/csv', `id,colour\n`],
    [FORM_HEADERS['content-type'], formOf({ filename: 'a.png', bytes: 'X' }).toString().split('X\r\n')[0] as string],
  ].map(async ([type, start]) => {
    const authorization = `Bearer ${http.accessToken}`;
    const headers = { 'content-type': type, 'content-length': String(1024 * MIB), authorization };
    const call = request(`${app.url}/products/import`, { method: 'POST', headers });
    call.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => call.once('close', () => resolve()));
    const heard = once(call, 'response') as Promise<[IncomingMessage]>;
    let sentBytes = 0;
    const endless = new Readable({
      read() {
        sentBytes += piece.length;
        this.push(piece);
      },
    });
    call.write(start);
    endless.pipe(call);
    const [answer] = await heard;
    answer.resume().on('error', () => undefined);
    await closed;
    return [answer.statusCode, sentBytes < 16 * MIB];
  });
  expect(await Promise.all(outcomes)).toEqual([
    [400, true],
    [415, true],
  ]);
});
