import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createTestApp } from '../support/app';
import type { HttpClient } from '../support/http-client';
import { makeProduct, type WireProduct } from '../support/products';
import { startRedis, type TestRedis } from '../support/redis';
import { startTestApp, type TestApp } from '../support/running-app';
import { type SilentProxy, startSilentProxy } from '../support/silent-proxy';
import { eventually } from '../support/wait';

let redis: TestRedis;
let proxy: SilentProxy;
let app: TestApp;
let replica: NestFastifyApplication;
/** Reaches Redis through the proxy. */
let here: HttpClient;
/** Reaches it by itself. */
let there: HttpClient;

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startSilentProxy(redis.port);
  const config = { ROLE: 'api', RATE_LIMIT_PER_MINUTE: '100000' };
  app = await startTestApp({ config: { ...config, REDIS_URL: `redis://127.0.0.1:${proxy.port}` } });
  replica = await createTestApp({ ...config, REDIS_URL: redis.url, DATABASE_URL: app.db.ownerUrl });
  await replica.listen(0, '127.0.0.1');
  here = (await app.login('MANAGER')).http;
  there = here.at(await replica.getUrl());
});

afterAll(async () => {
  await replica.close();
  await app.close();
  await proxy.close();
  await redis.stop();
});

const read = async (http: HttpClient, id: string) => {
  const { body, headers } = await http.get<WireProduct>(`/products/${id}`);
  return [body.stock, headers.get('x-cache')];
};
const change = async (http: HttpClient, id: string, stock: number) =>
  expect((await http.call('PATCH', `/products/${id}`, { stock })).status).toBe(200);
/** And the call that sees it. */
const WITHIN_A_SECOND = { timeoutMs: 1_500, what: 'the change to be seen within a second' };

describe('a process that alone has lost sight of Redis', () => {
  it('has its changes seen within a second by those that have not, and sees theirs', async () => {
    const { id } = await makeProduct(here, { stock: 5 });
    await eventually(async () => {
      await read(there, id);
      expect(await read(there, id)).toEqual([5, 'HIT']);
    });
    proxy.fallSilent();
    for (let stock = 4; stock > 0; stock -= 1) {
      await change(here, id, stock);
      await eventually(async () => (await read(there, id))[0] === stock, WITHIN_A_SECOND);
      await eventually(async () => expect(await read(there, id)).toEqual([stock, 'HIT']));
    }
    await change(there, id, 10);
    await eventually(async () => (await read(here, id))[0] === 10, WITHIN_A_SECOND);
    proxy.recover();
    await eventually(async () => expect(await read(here, id)).toEqual([10, 'HIT']));
    await change(here, id, 11);
    await eventually(async () => (await read(there, id))[0] === 11, WITHIN_A_SECOND);
  });
});
