import fc from 'fast-check';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { imported } from './imports.harness';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
});

afterAll(() => app.close());

/** Any price that the database holds: up to 15 digits before the point, and 4 after it. */
const price = fc
  .tuple(fc.bigInt({ min: 0n, max: 999_999_999_999_999n }), fc.integer({ min: 0, max: 9_999 }))
  .map(([whole, places]) => `${whole}.${String(places).padStart(4, '0')}`);
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .filter((text) => /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(text) && text.normalize('NFC') === text);
const attributes = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.integer(), fc.boolean(), price));
const products = fc.array(fc.record({ name, price, stock: fc.nat({ max: 1_000_000 }), attributes }), {
  minLength: 1,
  maxLength: 30,
});

const content = async (): Promise<unknown[]> => {
  const text = `select id, name, price::text, stock, attributes from products where tenant_id = $1 order by id`;
  return (await app.owner.query<object>(text, [app.tenantId])).rows;
};

it.each(['ndjson', 'csv'])('what was exported as %s brings every product back as it was', async (format) => {
  await fc.assert(
    fc.asyncProperty(products, async (made) => {
      await app.owner.query('delete from products where tenant_id = $1', [app.tenantId]);
      await app.owner.query(
        `insert into products (tenant_id, id, name, price, stock, attributes)
          select $1, 'p_' || nth, r->>'name', (r->>'price')::numeric, (r->>'stock')::int, r->'attributes'
          from jsonb_array_elements($2::jsonb) with ordinality t(r, nth)`,
        [app.tenantId, JSON.stringify(made)],
      );
      const before = await content();
      const { text, headers } = await manager.http.get(`/products/export?format=${format}`);
      await app.owner.query('delete from products where tenant_id = $1', [app.tenantId]);
      const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
      const { rows } = await imported(manager.http, 'products', text, { 'content-type': type });
      expect(rows).toMatchObject({ inserted: made.length, refused: 0 });
      expect(await content()).toEqual(before);
    }),
    { numRuns: 15 },
  );
});
