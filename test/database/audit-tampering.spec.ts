import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
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
    what: 'the last seal and its records removed, and what says where the head was',
    how: async (tenant) => {
      await cutTail(tenant);
      await owner.query('delete from audit_chains where tenant_id = $1', [tenant]);
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
    const { tenant, ids } = await trail.threeSeals();
    const id = ids[6] ?? '';
    await how(tenant, id);
    const { ok, firstBroken } = await trail.verify(tenant);
    expect(ok).toBe(false);
    expect(firstBroken).toMatchObject({ ...found, ...(found.id ? { id } : {}) });
  });

  it('a record slipped in past the trigger', async () => {
    const { tenant } = await trail.threeSeals();
    const id = newId();
    await slipIn(tenant, id);
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'inserted', id });
    await trail.seal(tenant);
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'inserted', id });
  });

  it('a record slipped in under the id of one that is sealed', async () => {
    const { tenant, ids } = await trail.threeSeals();
    await slipIn(tenant, ids[6] ?? '');
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'inserted', id: ids[6], seq: 2 });
  });

  it('a record removed before it was sealed, which holds up none of the others', async () => {
    const { tenant, ids } = await trail.threeSeals();
    await owner.query('delete from audit_logs where tenant_id = $1 and id = $2', [tenant, ids[12]]);
    await trail.seal(tenant);
    expect(await trail.verify(tenant)).toMatchObject({
      ok: false,
      checked: 13,
      firstBroken: { kind: 'missing', id: ids[12] },
    });
  });

  it('a chain of another tenant put in the place of its own', async () => {
    const [mine, other] = [await trail.threeSeals(), await trail.threeSeals()];
    for (const table of ['audit_logs', 'audit_seals', 'audit_chains', 'audit_pending']) {
      await owner.query(`delete from ${table} where tenant_id = $1`, [mine.tenant]);
      await owner.query(`update ${table} set tenant_id = $1 where tenant_id = $2`, [mine.tenant, other.tenant]);
    }
    expect((await trail.verify(mine.tenant)).firstBroken).toMatchObject({ kind: 'base' });
  });
});
