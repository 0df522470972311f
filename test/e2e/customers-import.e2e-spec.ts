import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { errorsOf, imported, NDJSON } from './imports.harness';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
});

afterAll(() => app.close());

const rowOf = async (table: string, id: string): Promise<Record<string, unknown> | undefined> => {
  const text = `select * from ${table} where tenant_id = $1 and id = $2`;
  return (await app.owner.query<Record<string, unknown>>(text, [app.tenantId, id])).rows[0];
};

describe('POST /customers/import', () => {
  const HEADER = 'id,email,name,tier,phone,address,tags\n';

  it('adds customers as the API would', async () => {
    const body = `${HEADER}c_1,Ada@Example.com,Ada,platinum,'+44 20 7946 0958,"{""city"":""London""}",vip; early \nc_2,,Bo,,,1 High St,\n`;
    const { rows } = await imported(manager.http, 'customers', body);
    expect(rows).toMatchObject({ inserted: 2, refused: 0 });
    expect(await rowOf('customers', 'c_1')).toMatchObject({
      email: 'ada@example.com',
      phone: '+442079460958',
      address: { city: 'London' },
      tags: ['vip', 'early'],
    });
    expect(await rowOf('customers', 'c_2')).toMatchObject({ email: null, phone: null, address: '1 High St', tags: [] });
    expect((await imported(manager.http, 'customers', body)).rows).toMatchObject({ unchanged: 2, updated: 0 });
  });

  it('refuses the row whose email or phone another customer has, and writes those around it', async () => {
    await imported(manager.http, 'customers', `${HEADER}u_1,u1@example.com,One,,+442079460001,,\n`);
    const body = [
      'u_2,u2@example.com,Two,,,,',
      'u_3,U1@example.com,Taken,,,,',
      'u_4,u4@example.com,Four,,+442079460001,,',
      'u_5,u5@example.com,Five,,,,',
      'u_6,u5@example.com,Twice,,,,',
      'u_7,u7@example.com,Seven,,,,',
    ].join('\n');
    const { id, rows } = await imported(manager.http, 'customers', HEADER + body);
    expect(rows).toEqual({ read: 6, inserted: 3, updated: 0, unchanged: 0, refused: 3 });
    expect((await errorsOf(manager.http, id)).map(({ line, field }) => [line, field])).toEqual([
      [3, 'email'],
      [4, 'phone'],
      [6, 'email'],
    ]);
  });

  it('refuses who would have neither name, email nor phone, as the API does, by its line', async () => {
    await imported(manager.http, 'customers', 'id,email\nv_1,v1@example.com\nv_2,v2@example.com\n');
    await app.owner.query(`insert into customers (tenant_id, id, tier) values ($1, 'v_9', 'old')`, [app.tenantId]);
    const rows = [
      'v_1,,,kept', // its email goes, and nothing else names it
      'v_2,,Two,gold',
      'v_3,,,gold',
      'v_4,,Four,',
      'v_4,,,', // and its name again
      'v_9,,,old', // as it is
      'v_9,,,new',
    ];
    const outcome = await imported(manager.http, 'customers', `id,email,name,tier\n${rows.join('\n')}\n`);
    expect(outcome.rows).toEqual({ read: 7, inserted: 1, updated: 1, unchanged: 1, refused: 4 });
    expect((await errorsOf(manager.http, outcome.id)).map(({ line, id, reason }) => [line, id, reason])).toEqual(
      [2, 4, 6, 8].map((line) => [line, rows[line - 2]?.slice(0, 3), 'name, email or phone must be given']),
    );
    expect(await rowOf('customers', 'v_1')).toMatchObject({ email: 'v1@example.com', tier: null });
    expect(await rowOf('customers', 'v_4')).toMatchObject({ name: 'Four' });
    const lines = '{"id":"v_5","tags":["x"]}\n{"id":"v_2","name":null}\n{"id":"v_2","tags":["x"]}';
    const json = await imported(manager.http, 'customers', lines, NDJSON);
    expect((await errorsOf(manager.http, json.id)).map(({ line, field }) => [line, field])).toEqual([
      [1, 'name'],
      [2, 'name'],
    ]);
    expect(json.rows).toMatchObject({ updated: 1, refused: 2 });
  });

  it('lets a value go from one customer to another, in the order of the rows', async () => {
    await imported(manager.http, 'customers', `${HEADER}s_1,s1@example.com,One,,,,\ns_2,s2@example.com,Two,,,,\n`);
    const { rows } = await imported(
      manager.http,
      'customers',
      `id,email\ns_1,other@example.com\ns_2,s1@example.com\ns_1,s2@example.com\n`,
    );
    expect(rows).toMatchObject({ updated: 3, refused: 0 });
    expect([(await rowOf('customers', 's_1'))?.email, (await rowOf('customers', 's_2'))?.email]).toEqual([
      's2@example.com',
      's1@example.com',
    ]);
  });

  it('brings nobody back who was deleted', async () => {
    await app.owner.query(`insert into customers (tenant_id, id, anonymised_at) values ($1, 'gone_1', now())`, [
      app.tenantId,
    ]);
    const { id, rows } = await imported(manager.http, 'customers', `${HEADER}gone_1,gone@example.com,Gone,,,,\n`);
    expect(rows).toMatchObject({ refused: 1 });
    expect(await errorsOf(manager.http, id)).toEqual([expect.objectContaining({ line: 2, id: 'gone_1', field: 'id' })]);
    expect(await rowOf('customers', 'gone_1')).toMatchObject({ email: null, name: null });
  });
});
