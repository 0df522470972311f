import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { auditRecords } from '../support/audit-records';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { CSV, ended, errorsOf, imported, linesOf, NDJSON, objectsIn, send } from './imports.harness';

let app: TestApp;
let manager: LoggedIn;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'imports-'));
  app = await startTestApp({ config: { STORAGE_PATH: folder } });
  manager = await app.login('MANAGER');
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

const rowOf = async (table: string, id: string): Promise<Record<string, unknown> | undefined> => {
  const text = `select * from ${table} where tenant_id = $1 and id = $2`;
  return (await app.owner.query<Record<string, unknown>>(text, [app.tenantId, id])).rows[0];
};

const PRODUCTS = `id,name,brand,category,price,stock,description,image_file_id,attributes
p_1,Submariner,Rolex,sport,9500.50,3,"A diver's watch, with
two lines",,"{""mm"":41}"
p_2,Calatrava,Patek,dress,25000,1,,,
`;

describe('POST /products/import', () => {
  it('adds what is new, and changes nothing when it is run again', async () => {
    const first = await imported(manager.http, 'products', PRODUCTS);
    expect(first).toMatchObject({
      kind: 'products',
      format: 'csv',
      status: 'finished',
      size_bytes: Buffer.byteLength(PRODUCTS),
      rows: { read: 2, inserted: 2, updated: 0, unchanged: 0, refused: 0 },
      error: null,
    });
    expect(await rowOf('products', 'p_1')).toMatchObject({
      name: 'Submariner',
      price: '9500.5000',
      stock: 3,
      description: "A diver's watch, with\ntwo lines",
      image_file_id: null,
      attributes: { mm: 41 },
      version: 1,
    });
    const before = await rowOf('products', 'p_2');
    const again = await imported(manager.http, 'products', PRODUCTS);
    expect(again.rows).toEqual({ read: 2, inserted: 0, updated: 0, unchanged: 2, refused: 0 });
    expect(await rowOf('products', 'p_2')).toEqual(before);
  });

  it('changes the columns that the file names and no others; the last row of an id counts', async () => {
    await imported(manager.http, 'products', 'id,name,price,brand\nq_1,First,10,Omega\n');
    const { rows } = await imported(manager.http, 'products', 'id,stock\nq_1,5\nq_1,7\nq_1,7\n');
    expect(rows).toEqual({ read: 3, inserted: 0, updated: 2, unchanged: 1, refused: 0 });
    expect(await rowOf('products', 'q_1')).toMatchObject({ name: 'First', brand: 'Omega', stock: 7, version: 3 });
    await imported(manager.http, 'products', 'id,brand,stock\nq_1,,\n');
    expect(await rowOf('products', 'q_1')).toMatchObject({ name: 'First', brand: null, stock: 0 });
  });

  it('takes lines of JSON, in which each names what it changes', async () => {
    const lines = [
      { id: 'n_1', name: 'One', price: 12.5, attributes: { steel: true } },
      { id: 'n_2', name: 'Two', price: '123456789012345.1234' },
      { id: 'n_1', brand: 'Seiko' },
    ];
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    const { rows } = await imported(manager.http, 'products', body, NDJSON);
    expect(rows).toMatchObject({ inserted: 2, updated: 1, refused: 0 });
    expect(await rowOf('products', 'n_1')).toMatchObject({
      brand: 'Seiko',
      price: '12.5000',
      attributes: { steel: true },
    });
    expect(await rowOf('products', 'n_2')).toMatchObject({ price: '123456789012345.1234' });
  });

  it('tells of each row that is refused with its line, and loses no other', async () => {
    const body = [
      'id,name,price,stock',
      'r_1,Good,1,1',
      ',No id,1,1',
      'r/2,Bad id,1,1',
      'r_3,No price,,1',
      'r_4,Odd price,1.23456,1',
      'r_5,Odd stock,1,many',
      'r_6,Too few,1',
      'r_7,"Never closed,1,1',
      'r_8,Stray "quote,1,1',
      'r_9,Good too,1,1',
    ].join('\n');
    const { id, status, rows } = await imported(manager.http, 'products', body);
    expect([status, rows]).toEqual(['finished', { read: 10, inserted: 2, updated: 0, unchanged: 0, refused: 8 }]);
    const errors = await errorsOf(manager.http, id);
    expect(errors.map(({ line, id: row, field }) => [line, row, field])).toEqual([
      [3, null, 'id'],
      [4, 'r/2', 'id'],
      [5, 'r_3', 'price'],
      [6, 'r_4', 'price'],
      [7, 'r_5', 'stock'],
      [8, null, null],
      [9, null, null],
      [10, null, null],
    ]);
    expect(errors.map(({ reason }) => reason)).toEqual([
      'id must not be empty',
      'id must be letters, digits, `_`, `.` and `-`, at most 64',
      'price must not be empty',
      expect.stringMatching(
        /^price must be a decimal number from 0 up, of at most 15 digits before the point and 4 after/,
      ),
      'stock must be a whole number',
      'The row has 3 cells, and the header names 4',
      ...Array(2).fill('The row is malformed: a quote in it stands where none may, or is not closed'),
    ]);
    expect(await rowOf('products', 'r_9')).toMatchObject({ name: 'Good too' });
    const page = await manager.http.get<unknown[]>(`/imports/${id}/errors?limit=3`);
    expect(page.body).toEqual(errors.slice(0, 3));
    const next = /<(.*)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await manager.http.get<unknown[]>(next)).body).toEqual(errors.slice(3, 6));
    const streamed = await manager.http.get(`/imports/${id}/errors`, { headers: { accept: 'application/x-ndjson' } });
    expect(linesOf(streamed)).toEqual(errors);
    const table = await manager.http.get(`/imports/${id}/errors?format=csv`);
    expect(table.text.split('\r\n').slice(0, 2)).toEqual([
      '"line","id","field","reason"',
      expect.stringMatching(/^"3",""/),
    ]);
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \n\n'],
    ['an unknown column', 'id,name,price,colour\n'],
    ['a column twice', 'id,name,name\n'],
    ['no id', 'name,price\n'],
    ['a header that is none', '"id,name\nx'],
  ])('refuses a file of %s at once, and keeps nothing of it', async (_what, body) => {
    expect((await send(manager.http, 'products', body)).outcome).toBe('400 VALIDATION_FAILED');
    expect(await objectsIn(folder, app.tenantId)).toEqual([]);
    const open = await app.owner.query(`select from imports where status = 'uploading'`);
    expect(open.rowCount).toBe(0);
  });

  it('refuses what is neither a table nor lines of JSON', async () => {
    expect((await send(manager.http, 'products', '{}', { 'content-type': 'application/json' })).status).toBe(415);
    expect((await send(manager.http, 'products', 'x', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it('takes the file of a form, by its name or its type', async () => {
    for (const [name, type, body] of [
      ['a.csv', 'application/vnd.ms-excel', 'id,name,price\nf_1,Form,1\n'],
      ['b.jsonl', '', '{"id":"f_2","name":"Form","price":1}'],
      ['c', 'text/csv', 'id,name,price\nf_3,Form,1\n'],
    ] as const) {
      const form = new FormData();
      form.append('file', new Blob([body], { type }), name);
      const answer = await fetch(`${app.url}/products/import`, {
        method: 'POST',
        body: form,
        headers: { authorization: `Bearer ${manager.http.accessToken}` },
      });
      expect(answer.status).toBe(202);
      const { job_id: id } = (await answer.json()) as { job_id: string };
      expect((await ended(manager.http, id)).rows).toMatchObject({ inserted: 1, refused: 0 });
    }
    const form = new FormData();
    form.append('file', new Blob(['x'], { type: 'image/png' }), 'a.png');
    const headers = { authorization: `Bearer ${manager.http.accessToken}` };
    expect((await fetch(`${app.url}/products/import`, { method: 'POST', body: form, headers })).status).toBe(415);
    expect(await objectsIn(folder, app.tenantId)).toEqual([]);
  });

  it('keeps nothing of a file that broke off', async () => {
    const before = (await app.owner.query(`select from imports`)).rowCount;
    const call = request(`${app.url}/products/import`, {
      method: 'POST',
      headers: { ...CSV, authorization: `Bearer ${manager.http.accessToken}`, 'content-length': '1000000' },
    });
    call.on('error', () => undefined);
    call.write(`id,name,price\n${'b_1,Broken,1\n'.repeat(1_000)}`);
    await eventually(async () => (await objectsIn(folder, app.tenantId)).length > 0, { what: 'the file to come in' });
    call.destroy();
    await eventually(async () => (await objectsIn(folder, app.tenantId)).length === 0, { what: 'the file to go' });
    await eventually(async () => (await app.owner.query(`select from imports`)).rowCount === before);
    expect(await rowOf('products', 'b_1')).toBeUndefined();
  });

  it('makes one import of a request that is repeated with its key', async () => {
    const body = 'id,name,price\ni_1,Once,1\n';
    const digest = createHash('sha256').update(body).digest('base64');
    const headers = { ...CSV, 'idempotency-key': 'import-once', 'content-digest': `sha-256=:${digest}:` };
    const [first, second] = [
      await send(manager.http, 'products', body, headers),
      await send(manager.http, 'products', body, headers),
    ];
    expect([first.status, second.status, second.text]).toEqual([202, 202, first.text]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    const without = { ...CSV, 'idempotency-key': 'import-twice' };
    expect((await send(manager.http, 'products', body, without)).status).toBe(400);
    await ended(manager.http, first.body.job_id);
  });

  it('works the files of a tenant off in the order in which they came, and keeps none of them', async () => {
    const sent = [];
    for (let stock = 1; stock <= 5; stock += 1)
      sent.push(await send(manager.http, 'products', `id,name,price,stock\no_1,Order,1,${stock}\n`));
    for (const { body } of sent) await ended(manager.http, body.job_id);
    expect(await rowOf('products', 'o_1')).toMatchObject({ stock: 5, version: 5 });
    await eventually(async () => (await objectsIn(folder, app.tenantId)).length === 0, { what: 'the files to go' });
    const left = await app.owner.query(`select from imports where due_at is not null or storage_key is not null`);
    expect(left.rowCount).toBe(0);
  });

  it('records what it added and what it changed, by their ids, in the transactions that did it', async () => {
    await imported(manager.http, 'products', 'id,name,price\nw_1,Old,1\nw_2,Same,1\n');
    const body = 'id,name,price\nw_1,New,1\nw_2,Same,1\nw_3,Fresh,1\nw_3,Fresh again,1\nw_4,,1\n';
    const { id } = await imported(manager.http, 'products', body);
    const records = await auditRecords(app.owner, ['IMPORT_ROWS_WRITTEN'], `import:${id}`);
    expect(records.map(({ actor_id: actor, metadata }) => [actor, metadata])).toEqual([
      [
        manager.userId,
        {
          ...{ kind: 'products', lines: { first: 1, last: 6 }, fields: ['name', 'price'] },
          ...{ added: ['w_3'], changed: ['w_1'] },
        },
      ],
    ]);
    const again = await imported(manager.http, 'products', body.replace('w_3,Fresh,1\n', ''));
    expect(again.rows).toMatchObject({ inserted: 0, updated: 0 });
    expect(await auditRecords(app.owner, ['IMPORT_ROWS_WRITTEN'], `import:${again.id}`)).toEqual([]);
  });

  it('records who began it, and what it came to', async () => {
    const { id } = await imported(manager.http, 'products', 'id,name,price\na_1,Audit,1\na_2,,1\n');
    const records = await auditRecords(app.owner, ['IMPORT_STARTED', 'IMPORT_FINISHED'], `import:${id}`);
    expect(records.map(({ action, actor_id: actor }) => [action, actor])).toEqual([
      ['IMPORT_STARTED', manager.userId],
      ['IMPORT_FINISHED', manager.userId],
    ]);
    expect(records[1]?.metadata).toEqual({
      ...{ kind: 'products', status: 'finished' },
      ...{ read: 2, inserted: 1, updated: 0, unchanged: 0, refused: 1 },
    });
  });
});

describe('GET /imports/:id', () => {
  it('is 404 for what is none, still comes in, or is of another tenant', async () => {
    const { id } = await imported(manager.http, 'products', 'id,name,price\nz_1,Mine,1\n');
    const other = await app.login('TENANT_ADMIN', await app.make.tenant());
    for (const [http, of] of [
      [manager.http, app.tenantId],
      [other.http, id],
    ] as const)
      for (const suffix of ['', '/errors', '/errors?format=csv'])
        expect((await http.get(`/imports/${of}${suffix}`)).outcome).toBe('404 NOT_FOUND');
  });

  it('shows an auditor what was refused, and an agent nothing', async () => {
    const { id } = await imported(manager.http, 'products', 'id,name,price\nz_1,Mine,x\n');
    const [auditor, agent] = [await app.login('AUDITOR'), await app.login('AGENT')];
    expect((await auditor.http.get(`/imports/${id}/errors`)).status).toBe(200);
    expect((await agent.http.get(`/imports/${id}`)).outcome).toBe('403 FORBIDDEN');
    expect((await send(auditor.http, 'products', PRODUCTS)).outcome).toBe('403 FORBIDDEN');
  });
});
