import { makeKey } from '../support/api-keys';
import { makeRoute } from '../support/gateway-routes';
import type { HttpClient } from '../support/http-client';
import { quantile } from '../support/quantile';
import { eventually } from '../support/wait';
import { type GatewayPair, newTenant, upstreamCalled } from './gateway-pair';

/** How many changes of a kind are looked at. */
export const CHANGES = 20;

/** A change at one process, and how it is seen at either. */
export interface Change {
  make(): Promise<{ status: number }>;
  /** Whether the process that made it goes by it. */
  isSeenHere(): Promise<boolean>;
  /** Whether the other process goes by it. */
  isSeen(): Promise<boolean>;
}
export type Kind = 'a key revoked' | 'a route changed' | 'a tenant suspended, and active again';

/** How long the other process took to go by a change: from before it was asked for, and from when it was answered. */
export interface Took {
  askedMs: number;
  answeredMs: number;
}

/** Makes the change, and looks for it at the other process all the time; the very next request here has to go by it. */
export async function tookOf({ make, isSeen, isSeenHere }: Change, everyMs: number): Promise<Took> {
  const begun = performance.now();
  const made = make().then(async ({ status }) => {
    const atMs = performance.now();
    return { status, atMs, isHere: await isSeenHere() };
  });
  await eventually(isSeen, { timeoutMs: 10_000, everyMs, what: 'the change to be seen by the other process' });
  const seen = performance.now();
  const { status, atMs, isHere } = await made;
  expect([200, 204]).toContain(status);
  expect(isHere).toBe(true);
  return { askedMs: seen - begun, answeredMs: Math.max(0, seen - atMs) };
}

/** The status that a key gets. */
const statusOf = async (client: HttpClient, path: string): Promise<number> => (await client.get(path)).status;

/** At both processes the same client. */
const both = ({ here, there }: GatewayPair, client: HttpClient) => ({ here: client.at(here), there: client.at(there) });

/** Keys that are known to both processes, to be revoked. */
export async function revocations(pair: GatewayPair): Promise<Change[]> {
  const { http, anybody } = pair.world;
  const upstream = await upstreamCalled('one');
  await makeRoute(http, { path: '/shop', upstreams: [{ url: upstream.url }] });
  const changes: Change[] = [];
  for (let n = 0; n < CHANGES; n += 1) {
    const key = await makeKey({ anybody }, http, { role: 'AGENT' });
    const { here, there } = both(pair, key.http);
    for (const client of [here, there]) await eventually(async () => (await statusOf(client, '/shop')) === 200);
    changes.push({
      make: () => http.delete(`/api-keys/${key.id}`),
      isSeenHere: async () => (await statusOf(here, '/shop')) === 401,
      isSeen: async () => (await statusOf(there, '/shop')) === 401,
    });
  }
  return changes;
}

/** Routes of one tenant that go to another upstream. */
export async function reroutings(pair: GatewayPair): Promise<Change[]> {
  const { http, anybody } = pair.world;
  const [one, two] = [await upstreamCalled('one'), await upstreamCalled('two')];
  const { here, there } = both(pair, (await makeKey({ anybody }, http, { role: 'AGENT' })).http);
  const changes: Change[] = [];
  for (let n = 0; n < CHANGES; n += 1) {
    const path = `/moving-${n}`;
    const { id } = await makeRoute(http, { path, upstreams: [{ url: one.url }] });
    changes.push({
      make: () => http.call('PATCH', `/gateway/routes/${id}`, { upstreams: [{ url: two.url }] }),
      isSeenHere: async () => (await here.get(path)).text === 'two',
      isSeen: async () => (await there.get(path)).text === 'two',
    });
  }
  for (const client of [here, there])
    for (let n = 0; n < CHANGES; n += 1)
      await eventually(async () => (await client.get(`/moving-${n}`)).text === 'one');
  return changes;
}

/** By turns of one tenant, or of so many at once. */
export async function suspensions(pair: GatewayPair, tenants: number): Promise<Change[]> {
  const upstream = await upstreamCalled('one');
  const changes: Change[] = [];
  for (let n = 0; n < tenants; n += 1) {
    const { id, http, key } = await newTenant(pair);
    await makeRoute(http, { path: '/shop', upstreams: [{ url: upstream.url }] });
    const { here, there } = both(pair, key.http);
    for (const client of [here, there]) await eventually(async () => (await statusOf(client, '/shop')) === 200);
    const becomes = (status: 'suspended' | 'active'): Change => {
      const wanted = status === 'active' ? 200 : 403;
      return {
        make: () => pair.platform.call('PATCH', `/tenants/${id}`, { status }),
        isSeenHere: async () => (await statusOf(here, '/shop')) === wanted,
        isSeen: async () => (await statusOf(there, '/shop')) === wanted,
      };
    };
    for (let turn = 0; turn < (tenants === 1 ? CHANGES : 1); turn += 1)
      changes.push(becomes(turn % 2 === 0 ? 'suspended' : 'active'));
  }
  return changes;
}

/** Milliseconds, of some changes. */
export interface Figures {
  median: number;
  worst: number;
}

/** Prints the figures, and gives them: from the answer to the change, and from before it was asked for. */
export function tell(kind: Kind, how: string, took: readonly Took[]): { answered: Figures; asked: Figures } {
  const figuresOf = (of: readonly number[]): Figures => ({ median: quantile(of, 0.5), worst: Math.max(...of) });
  const asked = figuresOf(took.map(({ askedMs }) => askedMs));
  const answered = figuresOf(took.map(({ answeredMs }) => answeredMs));
  const said = ({ median, worst }: Figures) => `${median.toFixed(1)} ms (median), ${worst.toFixed(1)} ms (worst)`;
  const line = `${said(answered)} after its answer, ${said(asked)} after it was asked for; of ${took.length}`;
  process.stdout.write(`${kind}, ${how}: seen by the other process ${line}\n`);
  return { answered, asked };
}
