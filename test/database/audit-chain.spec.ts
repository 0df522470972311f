import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { ROLE_KINDS } from '../../src/platform/database/role-kinds';
import { TestTrail } from '../support/audit';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let trail: TestTrail;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  trail = new TestTrail(owner, doors);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

/** A chain of 12 records under three seals, with two that wait. */
async function sealed(): Promise<{ tenant: string; ids: string[] }> {
  const tenant = trail.newTenant();
  for (let seal = 0; seal < 3; seal += 1) {
    await trail.write(tenant, 4);
    await trail.sealer.seal(tenant);
  }
  const ids = await trail.write(tenant, 2);
  return { tenant, ids };
}

const seals = async (tenant: string): Promise<{ seq: number; ids: string[] }[]> =>
  (await owner.query('select seq::int, ids from audit_seals where tenant_id = $1 order by seq', [tenant]))
    .rows as never;

describe('sealing', () => {
  it('puts each record under one seal, in order, and leaves nothing waiting', async () => {
    const { tenant, ids } = await sealed();
    await trail.seal(tenant);
    const found = await seals(tenant);
    expect(found.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(found.flatMap((seal) => seal.ids)).toEqual(ids);
    expect(await trail.verify(tenant)).toMatchObject({
      ok: true,
      checked: 14,
      sealed: 14,
      pending: 0,
      firstBroken: null,
    });
  });

  it('seals no record twice and leaves none out, with four sealers at one chain', async () => {
    const tenant = trail.newTenant();
    await trail.writeMany(tenant, 3_300);
    let count = 0;
    const untilAllAre = async () => {
      while (count < 3_300) {
        const records = await trail.sealer.seal(tenant);
        count += records;
      }
    };
    await Promise.all([untilAllAre(), untilAllAre(), untilAllAre(), untilAllAre()]);
    expect(count).toBe(3_300);
    const inSeals = (await seals(tenant)).flatMap((seal) => seal.ids);
    expect(inSeals).toHaveLength(3_300);
    expect(new Set(inSeals)).toEqual(new Set(await trail.ids(tenant)));
    expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: 3_300 });
  });

  it('seals nothing where the transaction ends half way', async () => {
    const tenant = trail.newTenant();
    await trail.write(tenant, 3);
    await owner.query(`alter table audit_chains add constraint no_more check (tenant_id <> '${tenant}')`);
    await expect(trail.sealer.seal(tenant)).rejects.toThrow('no_more');
    await owner.query(`alter table audit_chains drop constraint no_more`);
    expect(await seals(tenant)).toEqual([]);
    await trail.seal(tenant);
    expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: 3, head: { seq: 1 } });
  });

  it('finds every tenant that waits, the platform included, in rounds', async () => {
    const platform = '00000000-0000-0000-0000-000000000000';
    const tenants = [platform, trail.newTenant(), trail.newTenant()].sort();
    for (const tenant of tenants) await trail.write(tenant, 1);
    const first = await trail.chains.tenantsPending(2, platform);
    expect(first[0]).toBe(platform);
    const all = await trail.chains.tenantsPending(1_000, platform);
    expect(all).toEqual(expect.arrayContaining(tenants));
    expect(await trail.chains.tenantsPending(1_000, tenants[2] ?? '')).toContain(tenants[2]);
    await trail.seal(platform);
    expect(await trail.verify(platform)).toMatchObject({ ok: true, checked: 1 });
  });

  it('goes on while a chain is checked, which sees one moment', async () => {
    const tenant = trail.newTenant();
    await trail.writeMany(tenant, 5_000);
    const sealing = trail.seal(tenant);
    const verdicts = [];
    for (let i = 0; i < 10; i += 1) verdicts.push(await trail.verify(tenant));
    await sealing;
    expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdicts.map(({ checked, pending }) => checked + pending)).toEqual(verdicts.map(() => 5_000));
  });
});

interface Tampering {
  what: string;
  /** As the owner of the tables, with the third record of the second seal. */
  how: (tenant: string, id: string) => Promise<unknown>;
  /** `id`: that record; `seq`: the seal. */
  found: { kind: string; id?: true; seq?: number };
}

const change = (column: string, value: string) => (tenant: string, id: string) =>
  owner.query(`update audit_logs set ${column} = ${value} where tenant_id = $1 and id = $2`, [tenant, id]);

const changed = { kind: 'changed', id: true, seq: 2 } as const;

const TAMPERING: Tampering[] = [
  ...[
    ['action', `'LOGIN'`],
    ['resource', `'user:other'`],
    ['metadata', `'{"nth": 99}'`],
    ['actor_kind', `'system'`],
    ['actor_id', `gen_random_uuid()`],
    ['request_id', `'another'`],
    ['at', `at + interval '1 microsecond'`],
    ['personal', `'{"email":"other@acme.example"}'`],
    ['personal_hash', `sha256('other')`],
  ].map(([column = '', value = '']): Tampering => ({
    what: `${column} changed`,
    how: change(column, value),
    found: changed,
  })),
  {
    what: 'the personal part erased though the tenant is not being deleted',
    how: change('personal', 'null, personal_salt = null'),
    found: changed,
  },
  {
    what: 'a record removed',
    how: (tenant, id) => owner.query('delete from audit_logs where tenant_id = $1 and id = $2', [tenant, id]),
    found: { kind: 'missing', id: true, seq: 2 },
  },
  {
    what: 'a record moved to another month',
    how: change('at', `at + interval '2 months'`),
    found: { kind: 'moved', id: true, seq: 2 },
  },
  {
    what: 'a record moved to another tenant',
    how: change('tenant_id', 'gen_random_uuid()'),
    found: { kind: 'moved', id: true, seq: 2 },
  },
  {
    what: 'the order of two records swapped in their seal',
    how: (tenant, id) =>
      owner.query(
        `update audit_seals set ids = ids[1:2] || ids[4] || ids[3] where tenant_id = $1 and seq = 2 and ids[3] = $2`,
        [tenant, id],
      ),
    found: { kind: 'moved', seq: 2 },
  },
  {
    what: 'a record changed and its digest with it',
    how: async (tenant, id) => {
      await change('action', `'LOGIN'`)(tenant, id);
      await owner.query(
        `update audit_seals set digests = overlay(digests placing sha256('x') from 65) where tenant_id = $1
        and seq = 2`,
        [tenant],
      );
    },
    found: { kind: 'chain', seq: 2 },
  },
  {
    what: 'a seal made anew by who has no key',
    how: (tenant) =>
      owner.query(
        `update audit_seals set digests = digests || sha256('x'), ids = ids || gen_random_uuid(),
          batch_digest = sha256(digests || sha256('x')) where tenant_id = $1 and seq = 2`,
        [tenant],
      ),
    found: { kind: 'chain', seq: 2 },
  },
  {
    what: 'the month of a seal changed, so that it looks past its retention',
    how: (tenant) =>
      owner.query(`update audit_seals set month = '2001-01-01' where tenant_id = $1 and seq = 2`, [tenant]),
    found: { kind: 'chain', seq: 2 },
  },
  {
    what: 'a seal removed',
    how: (tenant) => owner.query('delete from audit_seals where tenant_id = $1 and seq = 2', [tenant]),
    found: { kind: 'chain', seq: 3 },
  },
  {
    what: 'the last seal and its records removed',
    how: (tenant) => cutTail(tenant),
    found: { kind: 'head', seq: 2 },
  },
  {
    what: 'the last seal and its records removed, and the head moved back',
    how: async (tenant) => {
      await cutTail(tenant);
      await owner.query(
        `update audit_chains c set head_seq = s.seq, head_chain = s.chain from audit_seals s
          where c.tenant_id = $1 and s.tenant_id = $1 and s.seq = 2`,
        [tenant],
      );
    },
    found: { kind: 'head', seq: 2 },
  },
  {
    what: 'the beginning removed, as if it were past its retention',
    how: async (tenant) => {
      await owner.query(
        `update audit_chains c set base_seq = s.seq, base_chain = s.chain, kept_from = '2999-01-01' from audit_seals s
          where c.tenant_id = $1 and s.tenant_id = $1 and s.seq = 2`,
        [tenant],
      );
      await owner.query('delete from audit_seals where tenant_id = $1 and seq <= 2', [tenant]);
    },
    found: { kind: 'base', seq: 2 },
  },
  {
    what: 'all of the chain removed but its records',
    how: async (tenant) => {
      await owner.query('delete from audit_seals where tenant_id = $1', [tenant]);
      await owner.query('delete from audit_chains where tenant_id = $1', [tenant]);
    },
    found: { kind: 'inserted' },
  },
];

const cutTail = async (tenant: string): Promise<void> => {
  await owner.query(
    `delete from audit_logs l using audit_seals s
      where l.tenant_id = $1 and s.tenant_id = $1 and s.seq = 3 and l.id = any (s.ids)`,
    [tenant],
  );
  await owner.query('delete from audit_seals where tenant_id = $1 and seq = 3', [tenant]);
};

/** Behind the trigger's back, as only the owner can. */
async function slipIn(tenant: string, id: string): Promise<void> {
  await owner.query('alter table audit_logs disable trigger audit_logs_enqueue');
  await trail.writeMany(tenant, 1);
  await owner.query('alter table audit_logs enable trigger audit_logs_enqueue');
  await owner.query(
    `update audit_logs set id = $2 where tenant_id = $1 and at = (select max(at) from audit_logs where tenant_id = $1)`,
    [tenant, id],
  );
}

describe('what the owner of the tables does behind the back of the service is found and named', () => {
  it.each(TAMPERING)('$what', async ({ how, found }) => {
    const { tenant, ids } = await sealed();
    const id = ids[6] ?? '';
    await how(tenant, id);
    const { ok, firstBroken } = await trail.verify(tenant);
    expect(ok).toBe(false);
    expect(firstBroken).toMatchObject({ ...found, ...(found.id ? { id } : {}) });
  });

  it('a record slipped in past the trigger', async () => {
    const { tenant } = await sealed();
    const id = newId();
    await slipIn(tenant, id);
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'inserted', id });
    await trail.seal(tenant);
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'inserted', id });
  });

  it('a record slipped in under the id of one that is sealed', async () => {
    const { tenant, ids } = await sealed();
    await slipIn(tenant, ids[6] ?? '');
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'inserted', id: ids[6], seq: 2 });
  });

  it('a record removed before it was sealed, which holds up none of the others', async () => {
    const { tenant, ids } = await sealed();
    await owner.query('delete from audit_logs where tenant_id = $1 and id = $2', [tenant, ids[12]]);
    await trail.seal(tenant);
    expect(await trail.verify(tenant)).toMatchObject({
      ok: false,
      checked: 13,
      firstBroken: { kind: 'missing', id: ids[12] },
    });
  });

  it('a chain of another tenant put in the place of its own', async () => {
    const [mine, other] = [await sealed(), await sealed()];
    for (const table of ['audit_logs', 'audit_seals', 'audit_chains', 'audit_pending']) {
      await owner.query(`delete from ${table} where tenant_id = $1`, [mine.tenant]);
      await owner.query(`update ${table} set tenant_id = $1 where tenant_id = $2`, [mine.tenant, other.tenant]);
    }
    expect((await trail.verify(mine.tenant)).firstBroken).toMatchObject({ kind: 'base' });
  });
});

describe('a head noted earlier', () => {
  it('is still part of the chain, however much was sealed since, and another is not', async () => {
    const { tenant } = await sealed();
    const { head } = await trail.verify(tenant);
    await trail.seal(tenant);
    expect(await trail.verify(tenant, head)).toMatchObject({ ok: true, noted: 'part', head: { seq: 4 } });
    const forged = { seq: head.seq, digest: '0'.repeat(64) };
    expect(await trail.verify(tenant, forged)).toMatchObject({ ok: false, firstBroken: { kind: 'head', seq: 3 } });
    const ahead = { ...head, seq: 9 };
    expect(await trail.verify(tenant, ahead)).toMatchObject({ ok: false, firstBroken: { kind: 'head', seq: 9 } });
  });

  it('shows that the whole trail was put back to an earlier state', async () => {
    const { tenant } = await sealed();
    const earlier = await owner.query('select * from audit_chains where tenant_id = $1', [tenant]);
    await trail.seal(tenant);
    const { head } = await trail.verify(tenant);
    const [row] = earlier.rows as { head_seq: string; head_chain: Buffer; head_proof: Buffer }[];
    await owner.query(
      'delete from audit_logs where tenant_id = $1 and id = any (select unnest(ids) from audit_seals where tenant_id = $1 and seq = 4)',
      [tenant],
    );
    await owner.query('delete from audit_seals where tenant_id = $1 and seq = 4', [tenant]);
    await owner.query('update audit_chains set head_seq = $2, head_chain = $3, head_proof = $4 where tenant_id = $1', [
      tenant,
      row?.head_seq,
      row?.head_chain,
      row?.head_proof,
    ]);
    expect(await trail.verify(tenant)).toMatchObject({ ok: true }); // nothing in the database can show it
    expect(await trail.verify(tenant, head)).toMatchObject({ ok: false, firstBroken: { kind: 'head', seq: 4 } });
  });
});

describe('erasing what is personal', () => {
  const erase = async (tenant: string): Promise<number> => {
    const { rows } = await owner.query<{ erased: number }>('select audit_erase($1)::int as erased', [tenant]);
    return rows[0]?.erased ?? NaN;
  };

  it('leaves the chain whole, of a tenant that is being deleted and of no other', async () => {
    const { tenant } = await sealed();
    await expect(erase(tenant)).rejects.toThrow('not being deleted');
    await markPurged(tenant);
    expect(await erase(tenant)).toBe(14);
    expect(await erase(tenant)).toBe(0);
    expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: 12, erased: 12 });
    await trail.seal(tenant);
    expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: 14, erased: 14 });
    const { rows } = await owner.query('select from audit_logs where tenant_id = $1 and personal is not null', [
      tenant,
    ]);
    expect(rows).toEqual([]);
  });

  it('hides nothing else that was changed', async () => {
    const { tenant, ids } = await sealed();
    await markPurged(tenant);
    await erase(tenant);
    await change('action', `'LOGIN'`)(tenant, ids[6] ?? '');
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'changed', id: ids[6] });
  });
});

async function markPurged(tenant: string): Promise<void> {
  await owner.query(`insert into tenant_purges (id, slug, name) values ($1, $2, $2)`, [tenant, tenant]);
}

describe('the roles of the service', () => {
  const TABLES = ['audit_logs', 'audit_seals', 'audit_chains', 'audit_pending', 'audit_policy'];
  const mayDo = async (role: string, table: string): Promise<string[]> => {
    const { rows } = await owner.query<{ work: string }>(
      `select work from unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) work where has_table_privilege($1, $2, work)`,
      [`${db.rolePrefix}_${role}`, table],
    );
    return rows.map(({ work }) => `${work} ${table}`);
  };

  it.each(ROLE_KINDS)('%s changes and deletes no record and no seal, not even in a partition', async (role) => {
    const { tenant } = await sealed();
    const client = await openAs(role);
    const { rows: parts } = await owner.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_logs'::regclass`,
    );
    for (const table of ['audit_logs', 'audit_seals', ...parts.map(({ name }) => name)]) {
      await client.query(`select set_config('app.tenant_id', $1, false)`, [tenant]);
      await expect(client.query(`update ${table} set tenant_id = tenant_id`)).rejects.toThrow('permission denied');
      await expect(client.query(`delete from ${table}`)).rejects.toThrow('permission denied');
      await expect(client.query(`truncate ${table}`)).rejects.toThrow('permission denied');
    }
    await client.end();
  });

  it('but the system role takes what it sealed out of the line, and moves heads; nobody else does either', async () => {
    const allowed = await Promise.all(ROLE_KINDS.map((role) => Promise.all(TABLES.map((table) => mayDo(role, table)))));
    expect(Object.fromEntries(ROLE_KINDS.map((role, index) => [role, allowed[index]?.flat()]))).toEqual({
      app: [],
      batch: [],
      system: ['UPDATE audit_chains', 'DELETE audit_pending'],
    });
  });

  it.each([
    ['app', 'audit_maintain()'],
    ['batch', 'audit_maintain()'],
    ['app', `audit_erase('00000000-0000-0000-0000-000000000000')`],
    ['batch', `audit_erase('00000000-0000-0000-0000-000000000000')`],
  ] as const)('%s cannot call %s', async (role, call) => {
    const client = await openAs(role);
    await expect(client.query(`select ${call}`)).rejects.toThrow('permission denied for function');
    await client.end();
  });

  it('finds no own table in the place of the catalogue of the owner functions', async () => {
    const { rows } = await owner.query<{ proname: string; path: string }>(
      `select proname, proconfig::text as path from pg_proc where proname like 'audit\\_%' and prosecdef order by 1`,
    );
    expect(rows).toHaveLength(3);
    for (const { path } of rows) expect(path).toContain('search_path=pg_catalog, public, pg_temp');
  });
});

async function openAs(role: (typeof ROLE_KINDS)[number]): Promise<Client> {
  const { Client: PgClient } = await import('pg');
  const client = new PgClient({ connectionString: db.roleUrl(role) });
  await client.connect();
  return client;
}
