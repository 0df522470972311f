import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RedisClient } from '../../src/platform/cache/redis';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { createTestApp } from '../support/app';
import { auditRecords } from '../support/audit-records';
import { upload } from '../support/files';
import type { HttpClient } from '../support/http-client';
import { makeProduct, type WireProduct } from '../support/products';
import { startRedis, type TestRedis } from '../support/redis';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

let redis: TestRedis;
let app: TestApp;
let replica: NestFastifyApplication;
let here: HttpClient;
let there: HttpClient;

beforeAll(async () => {
  redis = await startRedis();
  const config = { REDIS_URL: redis.url, ROLE: 'api', RATE_LIMIT_PER_MINUTE: '100000' };
  app = await startTestApp({ config });
  replica = await createTestApp({ ...config, DATABASE_URL: app.db.ownerUrl });
  await replica.listen(0, '127.0.0.1');
  here = (await app.login('MANAGER')).http;
  there = here.at(await replica.getUrl());
});

afterAll(async () => {
  await replica.close();
  await app.close();
  await redis.stop();
});

const read = async (http: HttpClient, id: string) => {
  const { body, headers, status } = await http.get<WireProduct>(`/products/${id}`);
  return [status === 200 ? body.stock : status, headers.get('x-cache')];
};
const change = (http: HttpClient, id: string, body: object) => http.call('PATCH', `/products/${id}`, body);
const take = (http: HttpClient, id: string, quantity: number) =>
  http.call<WireProduct & { available?: number }>('PATCH', `/products/${id}/inventory`, { quantity });

/** Connections that the process takes out of its pools while the work is done: one for each statement or transaction. */
async function queriesOf(process: NestFastifyApplication, work: () => Promise<void>): Promise<number> {
  const { app: own, batch, system } = process.get(DatabaseConnections);
  let taken = 0;
  const count = () => (taken += 1);
  for (const pool of [own, batch, system]) pool.on('acquire', count);
  try {
    await work();
  } finally {
    for (const pool of [own, batch, system]) pool.off('acquire', count);
  }
  return taken;
}

/** What readers got that was older than an answer that some buyer had before they asked. */
async function staleReadings(id: string): Promise<unknown[]> {
  let answered = Infinity; // stock only goes down here
  const stale: unknown[] = [];
  const buyer = async (http: HttpClient) => {
    for (let i = 0; i < 25; i += 1) answered = Math.min(answered, (await take(http, id, 1)).body.stock);
  };
  const reader = async (http: HttpClient) => {
    for (let i = 0; i < 60; i += 1) {
      const most = answered;
      const [stock] = await read(http, id);
      if (Number(stock) > most) stale.push([stock, most]);
    }
  };
  await Promise.all([here, there].flatMap((http) => [buyer(http), reader(http), reader(http)]));
  return stale;
}

const etagOf = (product: WireProduct, version: number): string =>
  `"${version}-${new Date(product.created_at).getTime().toString(36)}"`;

const ROUNDS = 8;
/** And the call that sees it. */
const WITHIN_A_SECOND = { timeoutMs: 1_500, what: 'the change to be seen within a second' };

/** Does the work until neither process has lost sight of Redis meanwhile, as a busy machine makes them do: a second counts then. */
async function withRedisInSight<T>(work: () => Promise<T>): Promise<T> {
  const outages = () => [app.app, replica].map((each) => each.get(RedisClient).outages).join();
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = outages();
    const result = await work();
    if (outages() === before) return result;
  }
  throw new Error(`Redis did not answer in time in any of ${ROUNDS} rounds`);
}

describe('products on two replicas', () => {
  it('are shown out of the cache that both have, without a query', async () => {
    const { id } = await makeProduct(here, { stock: 5 });
    expect([await read(here, id), await read(there, id)]).toEqual([
      [5, 'MISS'],
      [5, 'HIT'],
    ]);
    const hits: unknown[] = [];
    const queries = await queriesOf(replica, async () => {
      for (let i = 0; i < 20; i += 1) hits.push(await read(there, id));
    });
    expect(hits).toEqual(Array(20).fill([5, 'HIT']));
    // What is counted is sent now and then, whoever asks; twenty queries would not hide in it.
    expect(queries).toBeLessThanOrEqual(2);
    await change(here, id, { stock: 1 });
    const miss = await queriesOf(replica, async () => void (await read(there, id)));
    expect(miss).toBeGreaterThanOrEqual(1);
  });

  it('show each change at the next reading on both, whichever made it', async () => {
    const { id } = await makeProduct(here, { stock: 5 });
    const writes: [() => Promise<{ status: number }>, number][] = [
      [() => change(there, id, { stock: 4 }), 4],
      [() => take(here, id, 1), 3],
      [() => there.call('PATCH', `/products/${id}/inventory`, { restock: 5 }), 8],
      [() => here.call('PUT', `/products/${id}`, { stock: 7 }), 7],
      [() => there.delete(`/products/${id}`), 404],
      [() => here.post('/products', { id, name: 'Again', price: 1, stock: 2 }), 2],
    ];
    for (const [write, stock] of writes) {
      await Promise.all([read(here, id), read(there, id)]);
      expect((await write()).status).toBeLessThan(300);
      expect([(await read(here, id))[0], (await read(there, id))[0]]).toEqual([stock, stock]);
    }
  });

  it('show no picture that is deleted, on either; the deletion is on record as a change of each', async () => {
    const picture = await upload(here, 'a picture');
    const shown = [];
    for (let n = 0; n < 3; n += 1) shown.push(await makeProduct(n % 2 ? there : here, { image_file_id: picture.id }));
    const other = await makeProduct(here);
    const both = (id: string) => Promise.all([here, there].map((http) => http.get<WireProduct>(`/products/${id}`)));
    for (const { id } of [...shown, other]) await both(id);
    expect((await there.delete(`/files/${picture.id}`)).status).toBe(204);
    for (const { id } of shown) {
      for (const { body, headers } of await both(id))
        expect([body.image_file_id, headers.get('etag')]).toEqual([null, etagOf(body, 2)]);
      const records = await auditRecords(app.owner, ['PRODUCT_UPDATED'], `product:${id}`);
      expect(records.map(({ metadata }) => metadata)).toEqual([{ changed: ['image_file_id'] }]);
    }
    for (const { headers } of await both(other.id)) expect(headers.get('etag')).toBe(etagOf(other, 1));
  });

  it('show no picture that is deleted while products take it up', async () => {
    for (let round = 0; round < 5; round += 1) {
      const picture = await upload(here, `picture ${round}`);
      const { id } = await makeProduct(here);
      const [, deleted] = await Promise.all([
        change(here, id, { image_file_id: picture.id }),
        there.delete(`/files/${picture.id}`),
        read(here, id),
        read(there, id),
      ]);
      expect(deleted.status).toBe(204);
      for (const http of [here, there])
        expect((await http.get<WireProduct>(`/products/${id}`)).body.image_file_id).toBeNull();
    }
  });

  it('are never shown older than a change that was answered, while both are read and changed at once', async () => {
    const { id } = await makeProduct(here, { stock: 1_000 });
    expect(await withRedisInSight(() => staleReadings(id))).toEqual([]);
    const stock = (await read(here, id))[0];
    expect(stock).toBeLessThanOrEqual(950);
    expect((await read(there, id))[0]).toBe(stock);
  });

  it('sell the last ten pieces to exactly ten of a hundred buyers', async () => {
    const { id } = await makeProduct(here, { stock: 10 });
    const buyers = Array.from({ length: 100 }, (_, n) => take(n % 2 ? here : there, id, 1));
    const answers = await Promise.all(buyers);
    const sold = answers.filter(({ status }) => status === 200);
    expect(sold.map(({ body }) => body.stock).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const refused = answers.filter(({ outcome }) => outcome === '409 INSUFFICIENT_STOCK');
    expect(refused).toHaveLength(90);
    expect(new Set(refused.map(({ body }) => body.available))).toEqual(new Set([0]));
    expect([(await read(here, id))[0], (await read(there, id))[0]]).toEqual([0, 0]);
    const { rows } = await app.owner.query<{ taken: number }>(
      `select count(*)::int as taken from audit_logs where resource = $1 and action = 'PRODUCT_STOCK_CHANGED'`,
      [`product:${id}`],
    );
    expect(rows).toEqual([{ taken: 10 }]);
  });

  it('show a change within a second where Redis is away', async () => {
    const { id } = await makeProduct(here, { stock: 5 });
    await Promise.all([read(here, id), read(there, id)]);
    redis.pause();
    try {
      expect((await change(here, id, { stock: 4 })).status).toBe(200);
      expect((await read(here, id))[0]).toBe(4);
      await eventually(async () => (await read(there, id))[0] === 4, WITHIN_A_SECOND);
      await eventually(async () => (await read(there, id))[1] === 'HIT');
    } finally {
      redis.resume();
    }
    await change(there, id, { stock: 3 });
    await eventually(async () => (await read(here, id))[0] === 3);
  });
});
