import { randomBytes } from 'node:crypto';
import { newId } from '../../../common/ids';
import { Cache } from '../../../platform/cache/cache';
import { RedisClient } from '../../../platform/cache/redis';
import { SecretBox } from '../../../platform/crypto/secret-box';
import { SharedRoutes } from './shared-routes';
import { ROUTE_DEFAULTS, type ServedRow } from './stored-route';

const rowOf = (path: string): ServedRow => ({
  ...{ ...ROUTE_DEFAULTS, id: newId(), path, path_type: 'exact', headers: { set: { authorization: 'x' }, remove: [] } },
  upstreams: [{ url: 'https://a.example', weight: 1 }],
});

describe('routes that replicas share', () => {
  const redis = new RedisClient({ url: undefined, name: 'test' }); // a process by itself keeps them in memory
  const shared = new SharedRoutes(new Cache(redis), new SecretBox([randomBytes(32)]));
  const never = () => Promise.reject(new Error('nobody is asked'));

  afterAll(() => redis.close());

  it('come back as they were given', async () => {
    const [tenantId, rows] = [newId(), [rowOf('/a'), rowOf('/é')]];
    await shared.keep(tenantId, { version: 7, rows });
    expect(await shared.get(tenantId, 7, never)).toEqual({ version: 7, rows });
    await shared.keep(tenantId, { version: 8, rows: [] });
    expect(await shared.get(tenantId, 8, never)).toEqual({ version: 8, rows: [] });
    await expect(shared.get(tenantId, 9, never)).rejects.toThrow('nobody is asked');
  });

  it('are not shared where they are many, and not even written down to their end', async () => {
    const tenantId = newId();
    let written = 0;
    const row = { ...rowOf(`/${'a'.repeat(1_000)}`), toJSON: () => ((written += 1), { path: 'a'.repeat(1_000) }) };
    await shared.keep(tenantId, { version: 1, rows: Array.from({ length: 10_000 }, () => row) });
    expect(written).toBeLessThan(300);
    await expect(shared.get(tenantId, 1, never)).rejects.toThrow('nobody is asked');
  });
});
