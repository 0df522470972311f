import { newId } from '../../src/common/ids';
import { upload } from '../support/files';
import { makeProduct, type WireProduct } from '../support/products';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
});

afterAll(() => app.close());

const make = (fields: object = {}) => makeProduct(manager.http, fields as Record<string, unknown>);
const patch = (id: string, body: object, headers: Record<string, string> = {}) =>
  manager.http.call<WireProduct & { available?: number }>('PATCH', `/products/${id}`, body, { headers });
const move = (id: string, body: object, headers: Record<string, string> = {}) =>
  patch(`${id}/inventory`, body, headers);
const read = (id: string) => manager.http.get<WireProduct>(`/products/${id}`);

const recordsOf = async (id: string): Promise<{ action: string; metadata: unknown }[]> => {
  const { rows } = await app.owner.query<{ action: string; metadata: unknown }>(
    `select action, metadata from audit_logs where resource = $1 order by id`,
    [`product:${id}`],
  );
  return rows;
};

/** As it is when the process dies between the change's commit and keeping the answer. */
const forgetAnswerOf = (key: string) =>
  app.owner.query(
    `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = $1`,
    [key],
  );

describe('products', () => {
  it('are made, shown with their ETag, changed and deleted, and each change is on record', async () => {
    const draft = {
      brand: 'Rolex',
      category: 'sport',
      description: 'Of steel',
      attributes: { case_mm: 41, tags: ['a'] },
    };
    const answer = await manager.http.post<WireProduct>('/products', {
      ...{ id: 'prod_001', name: ' Submariner ', price: 8100.5, stock: 3 },
      ...draft,
    });
    expect(answer.status).toBe(201);
    const { created_at } = answer.body;
    expect(answer.body).toEqual({
      ...{ id: 'prod_001', name: 'Submariner', price: 8100.5, stock: 3, ...draft },
      ...{ image_file_id: null, created_at, updated_at: created_at },
    });
    const shown = await read('prod_001');
    expect([shown.body, shown.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')]);
    expect(shown.headers.get('x-cache')).toBe('MISS');
    const again = await read('prod_001');
    expect([again.text, again.headers.get('x-cache'), again.headers.get('etag')]).toEqual([
      ...[shown.text, 'HIT', shown.headers.get('etag')],
    ]);

    const changed = await patch('prod_001', { price: '8200.5000', category: null, attributes: {} });
    expect(changed.body).toMatchObject({ name: 'Submariner', price: 8200.5, category: null, attributes: {}, stock: 3 });
    const same = await patch('prod_001', { price: 8200.5, brand: 'Rolex' });
    expect([same.body, same.headers.get('etag')]).toEqual([changed.body, changed.headers.get('etag')]);
    const put = await manager.http.call<WireProduct>('PUT', '/products/prod_001', { name: 'Sea-Dweller', stock: 1 });
    expect(put.body).toMatchObject({ name: 'Sea-Dweller', price: 8200.5, brand: 'Rolex', stock: 1 });
    const now = await read('prod_001');
    expect([now.body, now.headers.get('x-cache')]).toEqual([put.body, 'MISS']);

    expect((await manager.http.delete('/products/prod_001')).status).toBe(204);
    for (const gone of [
      ...[await read('prod_001'), await manager.http.delete('/products/prod_001'), await patch('prod_001', {})],
      await move('prod_001', { quantity: 1 }),
    ])
      expect(gone.outcome).toBe('404 NOT_FOUND');
    expect((await recordsOf('prod_001')).map(({ action, metadata }) => [action, metadata])).toEqual([
      ['PRODUCT_CREATED', { name: 'Submariner', price: '8100.5', stock: 3 }],
      [
        'PRODUCT_UPDATED',
        { changed: ['category', 'price', 'attributes'].sort(order), price: { from: '8100.5000', to: '8200.5' } },
      ],
      ['PRODUCT_UPDATED', { changed: ['name', 'stock'], stock: { from: 3, to: 1 } }],
      ['PRODUCT_DELETED', { name: 'Sea-Dweller', price: '8200.5000', stock: 1 }],
    ]);
  });

  it('have an id of ours where none is chosen, and one id once in a tenant', async () => {
    const { id } = await make();
    expect(id).toMatch(/^prod_[0-9a-f]{32}$/);
    const twice = await Promise.all([1, 2, 3].map(() => manager.http.post('/products', draftOf({ id: 'once' }))));
    expect(twice.map(({ outcome }) => outcome).sort()).toEqual(['201', '409 PRODUCT_EXISTS', '409 PRODUCT_EXISTS']);
    const elsewhere = await app.login('MANAGER', await app.make.tenant());
    expect((await elsewhere.http.post('/products', draftOf({ id: 'once' }))).status).toBe(201);
    expect(await recordsOf('once')).toHaveLength(2);
  });

  it('are changed and deleted as they were read, or not at all', async () => {
    const { id } = await make();
    const etag = (await read(id)).headers.get('etag') ?? '';
    const both = await Promise.all(['a', 'b'].map((name) => patch(id, { name }, { 'if-match': etag })));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
    const stale = { headers: { 'if-match': etag } };
    expect((await manager.http.delete(`/products/${id}`, stale)).outcome).toBe('412 PRECONDITION_FAILED');
  });

  it('are not changed in the place of one of the same id that is gone', async () => {
    const { id } = await make();
    const etag = (await read(id)).headers.get('etag') ?? '';
    expect((await manager.http.delete(`/products/${id}`)).status).toBe(204);
    await make({ id });
    expect((await patch(id, { name: 'Another' }, { 'if-match': etag })).outcome).toBe('412 PRECONDITION_FAILED');
    const fresh = (await read(id)).headers.get('etag') ?? '';
    expect((await patch(id, { name: 'Another' }, { 'if-match': fresh })).status).toBe(200);
  });

  it.each([
    ['0.1', '0.1'],
    ['"12345678.9"', '12345678.9'],
    ['99999999999.9999', '99999999999.9999'],
    ['"999999999999999.9999"', '999999999999999.9999'],
    ['"900719925474099.3125"', '900719925474099.3125'],
    ['"12.5000"', '12.5'],
    ['0', '0'],
    ['1e3', '1000'],
    ['123456789012.3456', '123456789012.3456'],
    ['999999999999999.9999', '999999999999999.9999'],
    ['9007199254740.993100000', '9007199254740.9931'],
    ['1.234567890123456789e14', '123456789012345.6789'],
  ])('cost %s as it was written: %s', async (given, written) => {
    const answer = await manager.http.post<WireProduct>('/products', `{"name":"x","price":${given}}`, {
      headers: { 'content-type': 'application/json' },
    });
    const { id } = answer.body;
    const list = await manager.http.get('/products?limit=1');
    for (const { text } of [answer, await read(id), await read(id), list])
      expect(text).toContain(`"price":${written},`);
  });

  it.each([
    ['name', { name: undefined }],
    ['name', { name: ' ' }],
    ['name', { name: 'x'.repeat(201) }],
    ['price', { price: undefined }],
    ['price', { price: -1 }],
    ['price', { price: 'x' }],
    ['price', { price: 1.23456 }],
    ['price', { price: null }],
    ['price', { price: '1000000000000000' }],
    ['stock', { stock: -1 }],
    ['stock', { stock: 1.5 }],
    ['stock', { stock: '1' }],
    ['stock', { stock: 1_000_000_001 }],
    ['id', { id: '' }],
    ['id', { id: 'a b' }],
    ['id', { id: '-a' }],
    ['id', { id: 'x'.repeat(65) }],
    ['brand', { brand: '' }],
    ['category', { category: 7 }],
    ['description', { description: 'x'.repeat(10_001) }],
    ['image_file_id', { image_file_id: 'file' }],
    ['attributes', { attributes: [] }],
    ['attributes', { attributes: { a: 'x'.repeat(16_384) } }],
    ['attributes', { attributes: JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) as object }],
    ['version', { version: 1 }],
  ])('are refused for their %s: %j', async (field, fields) => {
    const answer = await manager.http.post<{ details: { field: string }[] }>('/products', draftOf(fields));
    expect([answer.outcome, answer.body.details.map((detail) => detail.field)]).toEqual([
      '400 VALIDATION_FAILED',
      [field],
    ]);
  });

  it('of a request that is repeated after its process died are made once', async () => {
    const headers = { 'idempotency-key': 'product-of-a-dead-process' };
    const body = draftOf({ id: 'made-once' });
    const first = await manager.http.post<WireProduct>('/products', body, { headers });
    await forgetAnswerOf(headers['idempotency-key']);
    const again = await manager.http.post<WireProduct>('/products', body, { headers });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get('idempotent-replayed')).toBeNull();
    const other = { 'idempotency-key': 'another-request' };
    expect((await manager.http.post('/products', body, { headers: other })).outcome).toBe('409 PRODUCT_EXISTS');
    expect(await recordsOf('made-once')).toHaveLength(1);
  });

  it('are read by every role, and written by administrators and managers', async () => {
    const { id } = await make({ stock: 5 });
    for (const role of ['AGENT', 'AUDITOR'] as const) {
      const { http } = await app.login(role);
      expect([(await http.get(`/products/${id}`)).status, (await http.get('/products')).status]).toEqual([200, 200]);
      const writes = [
        await http.post('/products', draftOf()),
        await http.call('PUT', `/products/${id}`, { name: 'x' }),
        await http.call('PATCH', `/products/${id}`, { name: 'x' }),
        await http.call('PATCH', `/products/${id}/inventory`, { quantity: 1 }),
        await http.delete(`/products/${id}`),
      ];
      expect(writes.map(({ outcome }) => outcome)).toEqual(Array(5).fill('403 FORBIDDEN'));
    }
    const admin = await app.login('TENANT_ADMIN');
    expect((await admin.http.delete(`/products/${id}`)).status).toBe(204);
  });
});

describe('PATCH /products/:id/inventory', () => {
  it('takes and adds pieces, says how many there are when there are too few, and is on record', async () => {
    const { id } = await make({ stock: 5 });
    expect((await move(id, { quantity: 2 })).body.stock).toBe(3);
    const refused = await move(id, { quantity: 4 });
    expect([refused.outcome, refused.body.available]).toEqual(['409 INSUFFICIENT_STOCK', 3]);
    expect((await move(id, { restock: 7 })).body.stock).toBe(10);
    expect((await move(id, { restock: 1_000_000_000 })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await read(id)).body.stock).toBe(10);
    expect((await recordsOf(id)).slice(1).map(({ action, metadata }) => [action, metadata])).toEqual([
      ['PRODUCT_STOCK_CHANGED', { taken: 2 }],
      ['PRODUCT_STOCK_CHANGED', { added: 7 }],
    ]);
  });

  it.each([
    ['quantity', {}],
    ['quantity', { quantity: 0 }],
    ['quantity', { quantity: 1.5 }],
    ['quantity', { quantity: '1' }],
    ['quantity', { quantity: null }],
    ['restock', { restock: 0 }],
    ['restock', { quantity: 1, restock: 1 }],
    ['stock', { quantity: 1, stock: 1 }],
  ])('refuses %s of %j', async (field, body) => {
    const { id } = await make({ stock: 5 });
    const answer = await manager.http.call<{ details: { field: string }[] }>(
      'PATCH',
      `/products/${id}/inventory`,
      body,
    );
    expect([answer.outcome, answer.body.details.map((detail) => detail.field)]).toEqual([
      '400 VALIDATION_FAILED',
      [field],
    ]);
    expect((await read(id)).body.stock).toBe(5);
  });

  it('of a request that is repeated after its process died takes the pieces once', async () => {
    const { id } = await make({ stock: 3 });
    const headers = { 'idempotency-key': 'take-of-a-dead-process' };
    expect((await move(id, { quantity: 2 }, headers)).body.stock).toBe(1);
    await forgetAnswerOf(headers['idempotency-key']);
    const again = await move(id, { quantity: 2 }, headers);
    expect([again.status, again.body.stock]).toEqual([200, 1]);
    expect((await move(id, { quantity: 2 }, { 'idempotency-key': 'another-take' })).body.available).toBe(1);
    expect(await recordsOf(id)).toHaveLength(2);
  });

  it('that was refused is run again when its process died: nothing was taken by it', async () => {
    const { id } = await make({ stock: 1 });
    const headers = { 'idempotency-key': 'refused-take' };
    expect((await move(id, { quantity: 2 }, headers)).outcome).toBe('409 INSUFFICIENT_STOCK');
    await forgetAnswerOf(headers['idempotency-key']);
    await move(id, { restock: 2 });
    expect((await move(id, { quantity: 2 }, headers)).body.stock).toBe(1);
  });
});

const draftOf = (fields: object = {}): object => ({ name: 'Submariner', price: 8100, ...fields });
describe('the picture of a product', () => {
  it('is a file that is there and that its maker may read', async () => {
    const { id } = await upload(manager.http, 'a picture', 'watch.txt');
    const made = await manager.http.post<{ id: string; image_file_id: string }>('/products', {
      ...{ name: 'Pictured', price: 1, image_file_id: id },
    });
    expect([made.status, made.body.image_file_id]).toEqual([201, id]);
    const nobodys = { image_file_id: newId() };
    expect((await manager.http.post('/products', { name: 'x', price: 1, ...nobodys })).outcome).toBe(
      '400 VALIDATION_FAILED',
    );
    const change = await manager.http.call('PATCH', `/products/${made.body.id}`, nobodys);
    expect(change.outcome).toBe('400 VALIDATION_FAILED');
    expect((await manager.http.call('PATCH', `/products/${made.body.id}`, { image_file_id: null })).status).toBe(200);
  });
});

const FIELDS = ['name', 'brand', 'category', 'price', 'stock', 'description', 'image_file_id', 'attributes'];
const order = (a: string, b: string): number => FIELDS.indexOf(a) - FIELDS.indexOf(b);
