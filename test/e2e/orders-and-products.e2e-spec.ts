import { createTestApp } from '../support/app';
import { freePort } from '../../src/embedded/postgres-server';
import { Readiness } from '../../src/platform/http/readiness';
import { shutDown } from '../../src/platform/http/shutdown';
import { placeOrder, setStatus, Shop } from '../support/orders';
import { startRedis, type TestRedis } from '../support/redis';
import { startTestApp, type TestApp } from '../support/running-app';

describe('products that are read from the cache', () => {
  let redis: TestRedis;
  let app: TestApp;
  let second: Awaited<ReturnType<typeof createTestApp>>;
  let secondUrl: string;

  beforeAll(async () => {
    redis = await startRedis();
    app = await startTestApp({ config: { REDIS_URL: redis.url } });
    const port = await freePort();
    secondUrl = `http://127.0.0.1:${port}`;
    second = await createTestApp({
      DATABASE_URL: app.db.ownerUrl,
      WAHA_BASE_URL: app.simulator.baseUrl,
      RATE_LIMIT_PER_MINUTE: '100000',
      REDIS_URL: redis.url,
      ROLE: 'api',
    });
    await second.listen(port, '127.0.0.1');
    second.get(Readiness).ready();
  });

  afterAll(async () => {
    await shutDown(second, 20_000);
    await app.close();
    await redis.stop();
  });

  it('show what orders took and gave back on the next read, on other replicas too', async () => {
    const { http } = await app.login('MANAGER');
    const other = http.at(secondUrl);
    const shop = new Shop(app.owner, app.tenantId);
    const [product, customer_id] = [await shop.product({ stock: 10 }), await shop.customer()];
    const read = async () => {
      const answers = [];
      for (const each of [http, other, http, other]) {
        const { body, headers } = await each.get<{ stock: number }>(`/products/${product}`);
        answers.push([body.stock, headers.get('x-cache')]);
      }
      return answers;
    };
    const at = (stock: number) => [[stock, 'MISS'], ...Array<unknown>(3).fill([stock, 'HIT'])];
    await read(); // a process that has just started believes nothing that it finds
    expect(await read()).toEqual(Array(4).fill([10, 'HIT']));
    const { id } = await placeOrder(other, { customer_id, items: [{ product_id: product, quantity: 4 }] });
    expect(await read()).toEqual(at(6));
    await setStatus(http, id, 'cancelled');
    expect(await read()).toEqual(at(10));
  });
});
