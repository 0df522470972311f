import { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { UserEntity } from '../../src/modules/users/user.entity';
import { GRANTS } from '../../src/platform/database/grants';
import { ROLE_KINDS, type RoleKind } from '../../src/platform/database/role-kinds';
import { workerDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

const NONE = '01890000-0000-7000-8000-000000000001';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let make: Factories;
/** Three tenants with a user, a session and three messages each. */
let sessions: TestSession[];

beforeAll(async () => {
  db = await workerDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 1);
  make = new Factories(owner);
  sessions = [];
  for (let i = 0; i < 3; i += 1) {
    const tenantId = await make.tenant();
    const session = await make.session(tenantId);
    for (let n = 0; n < 3; n += 1) await make.message(session);
    await owner.query(
      `insert into users (tenant_id, id, email, name, role, password_hash) values ($1, $2, $3, '', 'AGENT', '')`,
      [tenantId, newId(), `user${i}@wall.example`],
    );
    sessions.push(session);
  }
});

afterAll(async () => {
  await doors.close();
  await owner.end();
});

const connectAs = async (kind: RoleKind): Promise<Client> => {
  const client = new Client({ connectionString: db.roleUrl(kind) });
  await client.connect();
  return client;
};
const tenantOf = (i: number): string => sessions[i % sessions.length]?.tenantId ?? '';
const setting = async (client: Pick<Client, 'query'>): Promise<unknown> => {
  const { rows } = await client.query<{ it: string | null }>(`select current_setting('app.tenant_id', true) as it`);
  return rows[0]?.it ?? '';
};

describe('tenants on one connection', () => {
  it('see their own rows only, in 400 queries without a WHERE at once, in every way to ask', async () => {
    const ways = [
      (tenantId: string) => doors.tenant.query<{ tenant_id: string }>(tenantId, 'select tenant_id from messages'),
      (tenantId: string) =>
        doors.tenant.transaction(tenantId, async (tx) => {
          const rows = await tx.query<{ tenant_id: string }>('select tenant_id from messages where $1::int = 1', [1]);
          const users = await tx.repository(UserEntity).find();
          return rows.concat(users.map((user) => ({ tenant_id: user.tenantId }))).slice(0, 3);
        }),
      async (tenantId: string) => {
        const users = await doors.tenant.repository(tenantId, UserEntity, (users) => users.find());
        expect(users).toHaveLength(1);
        return Array.from({ length: 3 }, () => ({ tenant_id: users[0]?.tenantId ?? '' }));
      },
    ];
    const seen = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => {
        const rows = (await ways[i % ways.length]?.(tenantOf(i * 7))) ?? [];
        return { asked: tenantOf(i * 7), got: rows.map(({ tenant_id }) => tenant_id) };
      }),
    );
    for (const { asked, got } of seen) expect(got).toEqual([asked, asked, asked]);
    expect(doors.connections.app.totalCount).toBe(1);
  });

  it('leave nothing behind, neither after success nor after an error', async () => {
    await doors.tenant.query(tenantOf(0), 'select 1');
    expect(await setting(doors.connections.app)).toBe('');
    await expect(doors.tenant.query(tenantOf(0), 'select 1 / $1::int', [0])).rejects.toThrow('division by zero');
    expect(await setting(doors.connections.app)).toBe('');
    await doors.tenant.transaction(tenantOf(0), (tx) => tx.query('select 1'));
    expect(await setting(doors.connections.app)).toBe('');
    const failed = doors.tenant.transaction(tenantOf(0), async () => Promise.reject(new Error('mine')));
    await expect(failed).rejects.toThrow('mine');
    expect(await setting(doors.connections.app)).toBe('');
    await doors.tenant.repository(tenantOf(1), UserEntity, (users) => users.find());
    expect(await setting(doors.connections.app)).toBe('');
  });

  it('touch their own rows only when they update or delete everything', async () => {
    const before = await owner.query('select tenant_id, count(*) from messages group by 1 order by 1');
    const touched = await doors.tenant.transaction(tenantOf(0), async (tx) => {
      const updated = await tx.query(`update messages set error = 'x' returning tenant_id`);
      const deleted = await tx.query(`delete from messages returning tenant_id`);
      await tx.query(`update messages set error = null`);
      expect([updated.length, deleted.length]).toEqual([3, 3]);
      return new Error('rolled back');
    });
    expect(touched.message).toBe('rolled back');
    const after = await owner.query('select tenant_id, count(*) from messages group by 1 order by 1');
    expect(after.rows).toEqual(before.rows.filter((row) => row.tenant_id !== tenantOf(0)));
    for (let n = 0; n < 3; n += 1) await make.message(sessions[0] as TestSession);
  });

  it('cannot move a row to another tenant, nor make one for it', async () => {
    const other = sessions[1] as TestSession;
    const denied = /row-level security|violates row-level/;
    const move = doors.tenant.query(tenantOf(0), 'update users set tenant_id = $1', [other.tenantId]);
    await expect(move).rejects.toThrow(denied);
    const insert = doors.tenant.query(
      tenantOf(0),
      `insert into messages (tenant_id, id, session_id, chat, direction, type, status)
        values ($1, $2, $3, 'x', 'inbound', 'text', 'received')`,
      [other.tenantId, newId(), other.id],
    );
    await expect(insert).rejects.toThrow(denied);
    const tenant = doors.tenant.query(tenantOf(0), `insert into tenants (id, slug, name) values ($1, 'x-y-z', 'x')`, [
      NONE,
    ]);
    await expect(tenant).rejects.toThrow(denied);
  });

  it('must be named', async () => {
    expect(() => doors.tenant.query('', 'select 1')).toThrow('without a tenant');
    expect(() => doors.tenant.transaction('', async () => undefined)).toThrow('without a tenant');
    await expect(doors.tenant.query('not-a-uuid', 'select * from messages')).rejects.toThrow('invalid input syntax');
    expect(await doors.tenant.query(NONE, 'select * from messages')).toEqual([]);
  });

  it('cannot be several for the role that serves one', async () => {
    const both = `${tenantOf(0)},${tenantOf(1)}`;
    await expect(doors.tenant.query(both, 'select * from messages')).rejects.toThrow('invalid input syntax');
  });
});

describe.each(ROLE_KINDS)('the role %s', (kind) => {
  let client: Client;

  beforeAll(async () => {
    client = await connectAs(kind);
  });

  afterAll(() => client.end());

  it('owns nothing, is no superuser, passes no row security and may make nothing', async () => {
    const { rows } = await client.query(
      `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit, rolreplication,
        (select count(*)::int from pg_class where relowner = r.oid) as owned,
        (select count(*)::int from pg_auth_members where member = r.oid) as groups,
        has_schema_privilege('public', 'create') as creates
      from pg_roles r where rolname = current_user`,
    );
    const no = {
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
    };
    expect(rows).toEqual([{ ...no, rolinherit: false, owned: 0, groups: 0, creates: false }]);
    await expect(client.query('create table mine (id int)')).rejects.toThrow('permission denied');
    await expect(client.query('alter table messages disable row level security')).rejects.toThrow('must be owner');
    await expect(client.query('truncate messages')).rejects.toThrow('permission denied');
    await expect(client.query('set role postgres')).rejects.toThrow('permission denied');
  });

  it('may do what grants.ts says on each table, and nothing else', async () => {
    const { rows } = await owner.query<{ name: string; partition: boolean; granted: string[] }>(
      `select c.relname as name, c.relispartition as partition, array(select p from unnest(array['select', 'insert', 'update', 'delete', 'truncate',
          'references', 'trigger']) p where has_table_privilege($1, c.oid, p)) as granted
        from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`,
      [`${db.rolePrefix}_${kind}`],
    );
    expect(rows.length).toBeGreaterThan(8);
    for (const { name, partition, granted } of rows) {
      // A partition is reached through its table alone, whose policies hold there.
      const wanted = name === 'migrations' ? ['select'] : partition ? [] : GRANTS[kind](name);
      expect([name, [...granted].sort()]).toEqual([name, [...wanted].sort()]);
    }
  });
});

describe('without a tenant', () => {
  it.each(['app', 'batch'] as const)('the role %s sees nothing and may insert nothing', async (kind) => {
    const client = await connectAs(kind);
    for (const table of ['messages', 'sessions', 'webhook_events'])
      expect([table, (await client.query(`select * from ${table}`)).rows]).toEqual([table, []]);
    const session = sessions[0] as TestSession;
    const insert = client.query(
      `insert into webhook_events (tenant_id, session_id, event, event_id, body) values ($1, $2, 'x', 'x', '{}')`,
      [session.tenantId, session.id],
    );
    await expect(insert).rejects.toThrow('row-level security');
    await client.end();
  });
});

describe('the role batch', () => {
  it('sees exactly the tenants that are stated', async () => {
    const seen = async (tenants: string[]) => {
      const rows = await doors.batch.query<{ tenant_id: string }>(
        tenants,
        'select distinct tenant_id from messages',
        [],
      );
      return rows.map(({ tenant_id }) => tenant_id).sort();
    };
    expect(await seen([tenantOf(0), tenantOf(2)])).toEqual([tenantOf(0), tenantOf(2)].sort());
    expect(await seen([tenantOf(1), tenantOf(1)])).toEqual([tenantOf(1)]);
    expect(await seen([NONE])).toEqual([]);
    expect(await setting(doors.connections.batch)).toBe('');
    expect(() => doors.batch.query([], 'select 1', [])).toThrow('without tenants');
  });

  it('may insert for none but them', async () => {
    const [one, two] = [sessions[0] as TestSession, sessions[1] as TestSession];
    const insert = doors.batch.query(
      [one.tenantId],
      `insert into webhook_events (tenant_id, session_id, event, event_id, body) values ($1, $2, 'x', 'x', '{}')`,
      [two.tenantId, two.id],
    );
    await expect(insert).rejects.toThrow('row-level security');
    await expect(doors.batch.query([one.tenantId], 'delete from messages', [])).rejects.toThrow('permission denied');
    await expect(doors.batch.query([one.tenantId], 'select * from users', [])).rejects.toThrow('permission denied');
  });
});

describe('the role system', () => {
  it('sees all tenants, and is refused what grants.ts does not give it', async () => {
    const client = await connectAs('system');
    const { rows } = await client.query<{ n: number }>('select count(distinct tenant_id)::int as n from messages');
    expect(rows[0]?.n).toBe(3);
    for (const text of [
      'delete from messages',
      'insert into messages (chat) select chat from messages',
      'delete from tenants',
      'update users set name = name',
      'update tenants set name = name',
      'delete from sessions',
      'select * from message_events',
      'update webhook_events set note = note',
    ])
      await expect(client.query(text)).rejects.toThrow('permission denied');
    await client.end();
  });

  it('rolls back a transaction whose work fails', async () => {
    const work = doors.system.transaction(async (run) => {
      await run('registerServer', [newId(), 'http://rolled-back.invalid']);
      throw new Error('mine');
    });
    await expect(work).rejects.toThrow('mine');
    const { rows } = await owner.query(`select from waha_servers where base_url = 'http://rolled-back.invalid'`);
    expect(rows).toEqual([]);
  });
});
