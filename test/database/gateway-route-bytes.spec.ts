import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { GatewayRoutesRepository } from '../../src/modules/gateway/routes/gateway-routes.repository';
import { SealedHeaders } from '../../src/modules/gateway/routes/sealed-headers';
import { SecretBox } from '../../src/platform/crypto/secret-box';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';

const ROUTES = 10_000;

describe('what the routes of a tenant take', () => {
  let db: TestDatabase;
  let owner: Client;
  let doors: Doors;
  let routes: GatewayRoutesRepository;

  beforeAll(async () => {
    db = await freshDatabase();
    owner = await db.owner();
    doors = await openDoors(db);
    routes = new GatewayRoutesRepository(doors.tenant, new SealedHeaders(new SecretBox([randomBytes(32)])));
  });
  afterAll(async () => {
    await owner.end();
    await doors.close();
    await db.drop();
  });

  async function tenantWith(count: number, upstreams: object[], methods: string[] | null): Promise<string> {
    const tenantId = newId();
    await owner.query(`insert into tenants (id, slug, name) values ($1::uuid, $1::text, 'Routes')`, [tenantId]);
    await owner.query(
      `insert into gateway_routes (tenant_id, id, path, path_type, methods, upstreams, strategy, timeout_ms, headers)
        select $1, gen_random_uuid(), '/' || n, 'exact', $4, $3::jsonb, 'first', 1000, '{"set":{},"remove":[]}'
        from generate_series(1, $2::int) n`,
      [tenantId, count, JSON.stringify(upstreams), methods],
    );
    return tenantId;
  }
  const bytesOf = (tenantId: string) => doors.tenant.transaction(tenantId, (tx) => routes.storedBytes(tx, tenantId));
  const upstreamsOf = (count: number, characters: number) =>
    Array.from({ length: count }, () => ({ url: `https://1.1.1.1/${'a'.repeat(characters - 16)}`, weight: 1 }));

  it('is counted at its full size, however well it is compressed', async () => {
    const bytes = await bytesOf(await tenantWith(1, upstreamsOf(16, 2_000), null));
    expect(bytes).toBeGreaterThanOrEqual(16 * 2_000);
    expect(bytes).toBeLessThan(16 * 2_000 + 1_000);
  });

  it('is counted with the methods', async () => {
    const methods = Array.from({ length: 40 }, (_, n) => `M${n}`.padEnd(20, 'X'));
    const sizes: number[] = [];
    for (const each of [null, methods]) sizes.push(await bytesOf(await tenantWith(1, upstreamsOf(1, 100), each)));
    expect(sizes[1]! - sizes[0]!).toBeGreaterThanOrEqual(40 * 20);
  });

  it('is counted soon, of as many as there may be and as large as they may be together', async () => {
    const tenantId = await tenantWith(ROUTES, upstreamsOf(2, 1_500), ['GET', 'POST']);
    await bytesOf(tenantId);
    const begun = performance.now();
    expect(await bytesOf(tenantId)).toBeGreaterThan(ROUTES * 3_000);
    const tookMs = performance.now() - begun;
    console.log(`${ROUTES} routes are counted in ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(2_000);
  });
});
