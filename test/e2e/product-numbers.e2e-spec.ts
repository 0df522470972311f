import { makeProduct } from '../support/products';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
});

afterAll(() => app.close());

const make = (fields: Record<string, unknown>) => makeProduct(manager.http, fields);
const read = (id: string) => manager.http.get(`/products/${id}`);

describe('the numbers of products', () => {
  it.each([
    ['price', '"price":-123456789012345.6789'],
    ['price', '"price":1234567890123456789'],
    ['price', '"price":0.10000000000000000001'],
    ['price', '"price":1e-400'],
    ['stock', '"price":1,"stock":12345678901234567890'],
    ['stock', '"price":1,"stock":1.0000000000000000001'],
    ['attributes.maker.serial', '"price":1,"attributes":{"maker":{"serial":12345678901234567890}}'],
    ['attributes.sizes.1', '"price":1,"attributes":{"sizes":[1,2.00000000000000000003e2]}'],
  ])('are refused for their %s rather than made with another number: %s', async (field, part) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await manager.http.post<{ details: object[] }>('/products', `{"name":"x",${part}}`, { headers });
    expect([answer.outcome, answer.body.details]).toMatchObject(['400 VALIDATION_FAILED', [{ field }]]);
  });

  it('are taken back as they are answered, digit for digit', async () => {
    const { id } = await make({ price: '123456789012345.6789' });
    const { text, headers } = await read(id);
    const price = /"price":[^,]+/.exec(text)?.[0] ?? '';
    const put = await manager.http.call('PUT', `/products/${id}`, `{${price}}`, {
      headers: { 'content-type': 'application/json' },
    });
    expect([put.status, put.headers.get('etag')]).toEqual([200, headers.get('etag')]);
  });
});
