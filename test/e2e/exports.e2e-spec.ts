import { auditRecords } from '../support/audit-records';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { imported, linesOf } from './imports.harness';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
  const other = await app.make.tenant();
  for (const tenant of [app.tenantId, other]) await seed(tenant);
});

afterAll(() => app.close());

/** More than two portions, with what is hard to write down. */
const COUNT = 2_100;

async function seed(tenantId: string): Promise<void> {
  await app.owner.query(
    `insert into products (tenant_id, id, name, brand, price, stock, description, attributes)
      select $1::text::uuid, 'p_' || n, case when n = 1 then '=cmd|'' /C calc''!A0' else 'Name "' || n || '", of ' || $1::text end,
        case when n = 2 then '''=1' when n % 2 = 0 then 'Rolex' end, n + 0.25, n,
        case when n = 3 then E'two\\nlines' end, jsonb_build_object('n', n)
      from generate_series(1, $2::int) n`,
    [tenantId, COUNT],
  );
  await app.owner.query(`update products set price = 123456789012345.1234 where tenant_id = $1 and id = 'p_4'`, [
    tenantId,
  ]);
  await app.owner.query(
    `insert into customers (tenant_id, id, email, name, phone, address, tags, anonymised_at) values
      ($1, 'c_1', 'a@example.com', 'Ada', '+442079460001', '{"city": "London"}', '{vip,early}', null),
      ($1, 'c_2', null, 'Bo', null, '"1 High St"', '{"a;b","c"}', null),
      ($1, 'c_3', null, null, null, '"{odd"', '{"[x"}', null),
      ($1, 'c_4', null, null, null, null, '{}', now())`,
    [tenantId],
  );
  await app.owner.query(
    `insert into orders (tenant_id, id, customer_id, total, currency, created_at)
      values ($1, 'o_1', 'c_1', 20.5, 'EUR', '2026-01-02T03:04:05.678Z')`,
    [tenantId],
  );
  await app.owner.query(
    `insert into order_items (tenant_id, order_id, position, product_id, name, quantity, unit_price)
      values ($1, 'o_1', 2, 'p_2', 'b', 1, 0.5), ($1, 'o_1', 1, 'p_1', 'a', 2, 10)`,
    [tenantId],
  );
}

interface Line {
  id: string;
  [field: string]: unknown;
}

const exported = (path: string, accept?: string) =>
  manager.http.get(path, accept === undefined ? {} : { headers: { accept } });

const contentOf = async (table: string) =>
  (await app.owner.query<Line>(`select * from ${table} where tenant_id = $1 order by id`, [app.tenantId])).rows;

describe('GET /products/export', () => {
  it('writes every product once, in the order of ids, each as a line of JSON', async () => {
    const answer = await exported('/products/export');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="products.ndjson"');
    const lines = linesOf<Line>(answer);
    expect(lines.map(({ id }) => id)).toEqual((await contentOf('products')).map(({ id }) => id));
    expect(lines.find(({ id }) => id === 'p_3')).toEqual({
      ...{ id: 'p_3', name: `Name "3", of ${app.tenantId}`, brand: null, category: null, price: 3.25, stock: 3 },
      ...{ description: 'two\nlines', image_file_id: null, attributes: { n: 3 } },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updated_at: expect.any(String),
    });
    expect(answer.text).toContain('"price":123456789012345.1234,');
  });

  it('writes a table by Accept or format, in which a spreadsheet finds no formula', async () => {
    const table = await exported('/products/export', 'text/csv');
    expect(table.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect((await exported('/products/export?format=csv', 'application/x-ndjson')).text).toBe(table.text);
    expect(table.text.split('\r\n')[0]).toBe(
      '"id","name","brand","category","price","stock","description","image_file_id","attributes","created_at","updated_at"',
    );
    expect(table.text).toContain(`"p_1","'=cmd|' /C calc'!A0","",`);
    expect(table.text).toContain(`"p_2","Name ""2"", of ${app.tenantId}","''=1",`);
    expect(table.text).not.toMatch(/"[=+@-]/);
  });

  it.each(['ndjson', 'csv'])('can be imported again as %s, and then changes nothing', async (format) => {
    const before = await contentOf('products');
    const { text, headers } = await exported(`/products/export?format=${format}`);
    const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
    const { rows } = await imported(manager.http, 'products', text, { 'content-type': type });
    expect(rows).toEqual({ read: COUNT, inserted: 0, updated: 0, unchanged: COUNT, refused: 0 });
    expect(await contentOf('products')).toEqual(before);
  });

  it('refuses another format', async () => {
    expect((await exported('/products/export?format=xml')).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('is recorded', async () => {
    await exported('/products/export?format=csv');
    await eventually(async () => {
      const records = await auditRecords(app.owner, ['PRODUCTS_EXPORTED'], 'products');
      expect(records.at(-1)).toMatchObject({ actor_id: manager.userId, metadata: { format: 'csv' } });
    });
  });
});

describe('GET /customers/export', () => {
  it('leaves out who was anonymised', async () => {
    expect(linesOf<Line>(await exported('/customers/export')).map(({ id }) => id)).toEqual(['c_1', 'c_2', 'c_3']);
  });

  it.each(['ndjson', 'csv'])('can be imported again as %s, and then changes nothing', async (format) => {
    const before = await contentOf('customers');
    const { text, headers } = await exported(`/customers/export?format=${format}`);
    const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
    const { rows } = await imported(manager.http, 'customers', text, { 'content-type': type });
    expect(rows).toEqual({ read: 3, inserted: 0, updated: 0, unchanged: 3, refused: 0 });
    expect(await contentOf('customers')).toEqual(before);
  });
});

describe('GET /orders/export', () => {
  it('writes each order with its items in their order', async () => {
    expect(linesOf<Line>(await exported('/orders/export'))).toEqual([
      {
        ...{ id: 'o_1', customer_id: 'c_1', status: 'pending', total: 20.5, currency: 'EUR' },
        items: [
          { product_id: 'p_1', quantity: 2, unit_price: 10 },
          { product_id: 'p_2', quantity: 1, unit_price: 0.5 },
        ],
        created_at: '2026-01-02T03:04:05.678Z',
        updated_at: expect.any(String),
      },
    ]);
    const { text } = await exported('/orders/export?format=csv');
    expect(text).toContain('"[{""product_id"" : ""p_1""');
  });
});
