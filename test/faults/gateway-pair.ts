import { makeKey, type TestKey } from '../support/api-keys';
import { createAccount } from '../support/accounts';
import type { HttpClient } from '../support/http-client';
import type { TestRedis } from '../support/redis';
import { Upstream } from '../support/upstream';
import { endWithWorlds, explained, inWorld, type World } from './world';

const ADMIN_API_KEY = 'the platform administrator of these tests';

/** Two processes of the service, which are gateways both: the one with the API, and one of ROLE=gateway. */
export interface GatewayPair {
  world: World;
  /** Of the one with the API, where changes are made. */
  here: string;
  /** Of the other one. */
  there: string;
  /** The platform's administrator. */
  platform: HttpClient;
}

/** Works with two processes, over this Redis or without one; a failure shows what they said last. */
export async function inPair(redis: TestRedis | undefined, work: (pair: GatewayPair) => Promise<void>): Promise<void> {
  const shared: Record<string, string> = redis ? { REDIS_URL: redis.url } : {};
  const variables = { ADMIN_API_KEY, GATEWAY_ALLOWED_CIDRS: '127.0.0.0/8', ...shared };
  await inWorld({ sessions: 0, variables }, async (world) => {
    const other = await world.beside({ ROLE: 'gateway' });
    const platform = world.anybody.with({ 'x-api-key': ADMIN_API_KEY });
    await explained(other, () => work({ world, here: world.service.url, there: other.url, platform }));
  });
}

/** An upstream that answers with its name; it ends with the world. */
export async function upstreamCalled(name: string): Promise<Upstream> {
  const upstream = await Upstream.start(name);
  endWithWorlds(() => upstream.close());
  return upstream;
}

/** A tenant with an administrator and a key of its own. */
export async function newTenant({ world }: GatewayPair): Promise<{ id: string; http: HttpClient; key: TestKey }> {
  const owner = await world.owner();
  const { email, password, tenantId } = await createAccount(owner);
  const answer = await world.anybody.post<{ access_token: string }>('/auth/login', {
    email,
    password,
    tenant: tenantId,
  });
  if (answer.status !== 200) throw new Error(`Logging in gave ${answer.outcome}`);
  const http = world.anybody.with({ authorization: `Bearer ${answer.body.access_token}` });
  return { id: tenantId, http, key: await makeKey(world, http, { role: 'AGENT' }) };
}
