import type { AuditLogResponse } from '../../src/modules/audit/dto/audit-log.response';
import { makeProduct } from '../support/products';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { imported } from './imports.harness';

let app: TestApp;
let admin: LoggedIn;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  [admin, manager] = [await app.login('TENANT_ADMIN'), await app.login('MANAGER')];
});

afterAll(() => app.close());

const logs = (query: string, { http } = admin) => http.get<AuditLogResponse[]>(`/audit/logs?${query}`);
const actions = async (query: string, who = admin) => (await logs(query, who)).body.map(({ action }) => action);
/** An import of one product, again and again with another name. */
const rename = async (id: string, name: string) =>
  (await imported(manager.http, 'products', `id,name,price\n${id},${name},1\n`)).id;

describe('GET /audit/logs?resource= of what imports wrote', () => {
  it('finds who added and who changed it, beside whoever did so by hand, newest first', async () => {
    const { id } = await makeProduct(manager.http, { id: 'seen-1', price: 1 });
    const rows = `${id},Changed,1\nadded-1,Added,1\n`;
    const { id: job } = await imported(manager.http, 'products', `id,name,price\n${rows}`);
    await manager.http.call('PATCH', `/products/${id}`, { name: 'By hand' });
    const found = await logs(`resource=product:${id}`);
    expect(found.body.map(({ action, resource }) => [action, resource])).toEqual([
      ['PRODUCT_UPDATED', `product:${id}`],
      ['IMPORT_ROWS_WRITTEN', `import:${job}`],
      ['PRODUCT_CREATED', `product:${id}`],
    ]);
    expect(found.body[1]).toMatchObject({ user_id: manager.userId, metadata: { added: ['added-1'], changed: [id] } });
    expect(await actions('resource=product:added-1')).toEqual(['IMPORT_ROWS_WRITTEN']);
  });

  it('finds customers by their own name only', async () => {
    const people = 'id,email\nboth-1,both@example.com\n';
    const { id: ofPeople } = await imported(manager.http, 'customers', people);
    const { id: ofThings } = await imported(manager.http, 'products', 'id,name,price\nboth-1,Both,1\n');
    const resources = async (resource: string) =>
      (await logs(`resource=${resource}`)).body.map((each) => each.resource);
    expect(await resources('customer:both-1')).toEqual([`import:${ofPeople}`]);
    expect(await resources('product:both-1')).toEqual([`import:${ofThings}`]);
    for (const nobody of ['product:both-', 'product:both-10', 'product:', 'both-1', 'product:BOTH-1', 'customer:%'])
      expect(await actions(`resource=${nobody}`)).toEqual([]);
  });

  it('finds nothing of an import that changed nothing, or refused the row', async () => {
    await rename('same-1', 'Same');
    await rename('same-1', 'Same');
    await imported(manager.http, 'products', 'id,name,price\nbad-1,Bad,none\nother-1,Other,1\n');
    expect(await actions('resource=product:same-1')).toEqual(['IMPORT_ROWS_WRITTEN']);
    expect(await actions('resource=product:bad-1')).toEqual([]);
  });

  it('goes by pages, counts, and is narrowed like any list', async () => {
    const before = new Date().toISOString();
    await makeProduct(manager.http, { id: 'paged-1', price: 1 });
    const jobs: string[] = [];
    for (const name of ['a', 'b', 'c']) jobs.push(await rename('paged-1', name));
    await manager.http.call('PATCH', `/products/paged-1`, { name: 'd' });
    const all = (await logs('resource=product:paged-1')).body;
    expect(all.map(({ resource }) => resource)).toEqual([
      ...['product:paged-1', ...jobs.map((id) => `import:${id}`).reverse(), 'product:paged-1'],
    ]);
    const first = await logs('resource=product:paged-1&limit=2&count=true');
    expect([first.headers.get('x-total-count'), first.body]).toEqual(['5', all.slice(0, 2)]);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const { pathname, search } = new URL(next, 'http://localhost');
    expect((await admin.http.get<AuditLogResponse[]>(pathname + search)).body).toEqual(all.slice(2, 4));
    expect((await logs('resource=product:paged-1&limit=2&offset=3')).body).toEqual(all.slice(3));
    expect(await actions('resource=product:paged-1&action=PRODUCT_UPDATED')).toEqual(['PRODUCT_UPDATED']);
    expect(await actions('resource=product:paged-1&action=IMPORT_ROWS_WRITTEN')).toHaveLength(3);
    expect(await actions(`resource=product:paged-1&to=${before}`)).toEqual([]);
    expect(await actions(`resource=product:paged-1&user_id=${admin.userId}`)).toEqual([]);
    expect(await actions('resource=product:paged-1', manager)).toHaveLength(5);
    expect(await actions('resource=product:paged-1', await app.login('MANAGER'))).toEqual([]);
    const exported = await admin.http.get('/audit/logs/export?resource=product:paged-1');
    expect(
      exported.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(all);
  });

  it('finds nothing of another tenant', async () => {
    await rename('mine-1', 'Mine');
    const other = await app.login('TENANT_ADMIN', await app.make.tenant());
    expect(await actions('resource=product:mine-1', other)).toEqual([]);
    await imported(other.http, 'products', 'id,name,price\nmine-1,Theirs,1\n');
    expect(await actions('resource=product:mine-1', other)).toEqual(['IMPORT_ROWS_WRITTEN']);
    expect(await actions('resource=product:mine-1')).toEqual(['IMPORT_ROWS_WRITTEN']);
  });
});
