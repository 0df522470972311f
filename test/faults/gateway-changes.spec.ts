import { setTimeout as sleep } from 'node:timers/promises';
import { makeKey } from '../support/api-keys';
import { makeRoute } from '../support/gateway-routes';
import type { HttpClient } from '../support/http-client';
import { quantile } from '../support/quantile';
import { startRedis } from '../support/redis';
import { eventually } from '../support/wait';
import { type GatewayPair, inPair, newTenant, upstreamCalled } from './gateway-pair';
import { endWithWorlds, useWorlds } from './world';

const CHANGES = 20;
/** What is promised is 100 ms; the figure is printed, and a busy machine is no reason to fail. */
const WITH_REDIS_MS = 2_000;
/** After 5 s each process asks by itself; the rest is the change's, and the look's. */
const WITHOUT_REDIS_MS = 5_500;
/** Without Redis all changes are looked for at once. */
const LOOK_EVERY_MS = 50;
const TEST_MS = 120_000;

useWorlds();

/** A change at one process, and how it is seen at the other. */
interface Change {
  make(): Promise<{ status: number }>;
  /** Whether the other process goes by it. */
  isSeen(): Promise<boolean>;
}
type Kind = 'a key revoked' | 'a route changed' | 'a tenant suspended, and active again';

/** How long the other process took to go by a change: from before it was asked for, and from when it was answered. */
interface Took {
  askedMs: number;
  answeredMs: number;
}

/** Makes the change, and looks for it all the time. */
async function tookOf({ make, isSeen }: Change, everyMs: number): Promise<Took> {
  const begun = performance.now();
  const made = make().then(({ status }) => ({ status, atMs: performance.now() }));
  await eventually(isSeen, { timeoutMs: 10_000, everyMs, what: 'the change to be seen by the other process' });
  const seen = performance.now();
  const { status, atMs } = await made;
  expect([200, 204]).toContain(status);
  return { askedMs: seen - begun, answeredMs: Math.max(0, seen - atMs) };
}

/** The status that a key gets. */
const statusOf = async (client: HttpClient, path: string): Promise<number> => (await client.get(path)).status;

async function revocations({ world, there }: GatewayPair): Promise<Change[]> {
  const upstream = await upstreamCalled('one');
  await makeRoute(world.http, { path: '/shop', upstreams: [{ url: upstream.url }] });
  const changes: Change[] = [];
  for (let n = 0; n < CHANGES; n += 1) {
    const key = await makeKey(world, world.http, { role: 'AGENT' });
    const client = key.http.at(there);
    await eventually(async () => (await statusOf(client, '/shop')) === 200);
    changes.push({
      make: () => world.http.delete(`/api-keys/${key.id}`),
      isSeen: async () => (await statusOf(client, '/shop')) === 401,
    });
  }
  return changes;
}

async function reroutings({ world, there }: GatewayPair): Promise<Change[]> {
  const [one, two] = [await upstreamCalled('one'), await upstreamCalled('two')];
  const client = (await makeKey(world, world.http, { role: 'AGENT' })).http.at(there);
  const changes: Change[] = [];
  for (let n = 0; n < CHANGES; n += 1) {
    const path = `/moving-${n}`;
    const { id } = await makeRoute(world.http, { path, upstreams: [{ url: one.url }] });
    changes.push({
      make: () => world.http.call('PATCH', `/gateway/routes/${id}`, { upstreams: [{ url: two.url }] }),
      isSeen: async () => (await client.get(path)).text === 'two',
    });
  }
  for (let n = 0; n < CHANGES; n += 1) await eventually(async () => (await client.get(`/moving-${n}`)).text === 'one');
  return changes;
}

/** By turns of one tenant, or of so many at once. */
async function suspensions(pair: GatewayPair, tenants: number): Promise<Change[]> {
  const upstream = await upstreamCalled('one');
  const changes: Change[] = [];
  for (let n = 0; n < tenants; n += 1) {
    const { id, http, key } = await newTenant(pair);
    await makeRoute(http, { path: '/shop', upstreams: [{ url: upstream.url }] });
    const client = key.http.at(pair.there);
    await eventually(async () => (await statusOf(client, '/shop')) === 200);
    const becomes = (status: 'suspended' | 'active'): Change => ({
      make: () => pair.platform.call('PATCH', `/tenants/${id}`, { status }),
      isSeen: async () => (await statusOf(client, '/shop')) === (status === 'active' ? 200 : 403),
    });
    for (let turn = 0; turn < (tenants === 1 ? CHANGES : 1); turn += 1)
      changes.push(becomes(turn % 2 === 0 ? 'suspended' : 'active'));
  }
  return changes;
}

/** Prints the figures. @returns the worst, from before the change was asked for */
function tell(kind: Kind, how: string, took: readonly Took[]): number {
  const [asked, answered] = [took.map(({ askedMs }) => askedMs), took.map(({ answeredMs }) => answeredMs)];
  const figures = (of: readonly number[]) =>
    `${quantile(of, 0.5).toFixed(1)} ms (median), ${Math.max(...of).toFixed(1)} ms (worst)`;
  const line = `${figures(answered)} after its answer, ${figures(asked)} after it was asked for; of ${took.length}`;
  process.stdout.write(`${kind}, ${how}: seen by the other process ${line}\n`);
  return Math.max(...asked);
}

describe('a change that one process of the gateway makes', () => {
  it(
    'is seen by the other at once where they share a Redis',
    async () => {
      const redis = await startRedis();
      endWithWorlds(() => redis.stop());
      await inPair(redis, async (pair) => {
        const kinds: [Kind, Change[]][] = [
          ['a key revoked', await revocations(pair)],
          ['a route changed', await reroutings(pair)],
          ['a tenant suspended, and active again', await suspensions(pair, 1)],
        ];
        for (const [kind, changes] of kinds) {
          const took: Took[] = [];
          for (const change of changes) took.push(await tookOf(change, 0));
          expect(took).toHaveLength(CHANGES);
          expect(tell(kind, 'with Redis', took)).toBeLessThan(WITH_REDIS_MS);
        }
      });
    },
    TEST_MS,
  );

  it(
    'is seen by the other within 5 s without Redis',
    async () => {
      await inPair(undefined, async (pair) => {
        const kinds: [Kind, Change[]][] = [
          ['a key revoked', await revocations(pair)],
          ['a route changed', await reroutings(pair)],
          ['a tenant suspended, and active again', await suspensions(pair, 5)],
        ];
        for (const [kind, changes] of kinds) {
          // A little apart, so that they meet what the other process remembers at every age.
          const took = await Promise.all(
            changes.map(async (change, n) => {
              await sleep(n * 230);
              return tookOf(change, LOOK_EVERY_MS);
            }),
          );
          expect(tell(kind, 'without Redis', took)).toBeLessThan(WITHOUT_REDIS_MS);
        }
      });
    },
    TEST_MS,
  );
});
