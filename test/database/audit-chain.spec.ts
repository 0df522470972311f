import type { Client } from 'pg';
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

const seals = async (tenant: string): Promise<{ seq: number; ids: string[] }[]> =>
  (await owner.query('select seq::int, ids from audit_seals where tenant_id = $1 order by seq', [tenant]))
    .rows as never;

describe('sealing', () => {
  it('puts each record under one seal, in order, and leaves nothing waiting', async () => {
    const { tenant, ids } = await trail.threeSeals();
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

describe('a head noted earlier', () => {
  it('is still part of the chain, however much was sealed since, and another is not', async () => {
    const { tenant } = await trail.threeSeals();
    const { head } = await trail.verify(tenant);
    await trail.seal(tenant);
    expect(await trail.verify(tenant, head)).toMatchObject({ ok: true, noted: 'part', head: { seq: 4 } });
    const forged = { seq: head.seq, digest: '0'.repeat(64) };
    expect(await trail.verify(tenant, forged)).toMatchObject({ ok: false, firstBroken: { kind: 'head', seq: 3 } });
    const ahead = { ...head, seq: 9 };
    expect(await trail.verify(tenant, ahead)).toMatchObject({ ok: false, firstBroken: { kind: 'head', seq: 9 } });
  });

  it('shows that the whole trail was put back to an earlier state', async () => {
    const { tenant } = await trail.threeSeals();
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
    const text = `select touched::int as erased from audit_erase($1, '00000000-0000-0000-0000-000000000000')`;
    const { rows } = await owner.query<{ erased: number }>(text, [tenant]);
    return rows[0]?.erased ?? NaN;
  };

  it('counts every record once, however many erase at once', async () => {
    const tenant = trail.newTenant();
    await trail.writeMany(tenant, 3_000);
    await markPurged(tenant);
    const others = await Promise.all([db.owner(), db.owner(), db.owner()]);
    const text = `select touched::int as erased, up_to from audit_erase($1, '00000000-0000-0000-0000-000000000000')`;
    const answers = await Promise.all(
      others.map(
        async (other) => (await other.query<{ erased: number; up_to: string | null }>(text, [tenant])).rows[0],
      ),
    );
    await Promise.all(others.map((other) => other.end()));
    expect(answers.reduce((sum, answer) => sum + (answer?.erased ?? NaN), 0)).toBe(3_000);
    expect(answers.every((answer) => answer?.up_to === answers[0]?.up_to && answer?.up_to !== null)).toBe(true);
  });

  it('leaves the chain whole, of a tenant that is being deleted and of no other', async () => {
    const { tenant } = await trail.threeSeals();
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
    const { tenant, ids } = await trail.threeSeals();
    await markPurged(tenant);
    await erase(tenant);
    await owner.query(`update audit_logs set action = 'LOGIN' where tenant_id = $1 and id = $2`, [tenant, ids[6]]);
    expect((await trail.verify(tenant)).firstBroken).toMatchObject({ kind: 'changed', id: ids[6] });
  });
});

async function markPurged(tenant: string): Promise<void> {
  await owner.query(`insert into tenant_purges (id, slug, name) values ($1, $2, $2)`, [tenant, tenant]);
}
