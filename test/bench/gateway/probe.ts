import { createHash } from 'node:crypto';
import type { Contender } from './contenders';
import type { Running } from './ground';
import { ECHO_PATH, LARGE, POSTED, SMALL } from './requests';

/** Requests in which weights of 2 and 1 must have led to both. */
const BALANCED = 30;

interface Seen {
  headers: Record<string, string | undefined>;
  sha256: string;
}

/**
 * Tries that a contender really does what is measured: each answer is a 200 with the right bytes, the body of a POST
 * arrives whole, and what every proxy adds is there; of Switchboard also that key, routes, limits, balance and metrics are on.
 * @throws Error when something is not so
 */
export async function probe({ kind }: Contender, running: Running): Promise<void> {
  for (const { path, content } of [SMALL, LARGE]) same(path, (await ask(running, path)).body, content);
  const posted = await ask(running, POSTED.path, { body: POSTED.sent });
  same(POSTED.path, posted.body, Buffer.from(POSTED.answer));
  const { headers, sha256 } = await echo(running);
  if (sha256 !== createHash('sha256').update(POSTED.sent).digest('hex'))
    throw new Error('What was posted arrives changed');
  if (kind === 'direct') return;
  if (!headers['x-forwarded-for']) throw new Error('The upstream is not told whom the request is from');
  if (kind === 'switchboard') await probeSwitchboard(running, headers);
}

async function probeSwitchboard(running: Running, told: Seen['headers']): Promise<void> {
  if (told['x-api-key'] !== undefined) throw new Error('The upstream sees the API key');
  if (told['x-tenant-id'] !== running.tenantId || !told['x-request-id'])
    throw new Error('The upstream is not told which tenant and which request');
  const refused: Record<string, string>[] = [{}, { 'x-api-key': `${running.headers['x-api-key']}x` }];
  for (const headers of refused) await expectStatus({ ...running, headers }, SMALL.path, 401);
  await expectStatus(running, '/no-such-route', 404);
  const { limitedPath = '' } = running;
  const [first, second] = [await statusOf(running, limitedPath), await statusOf(running, limitedPath)];
  if (first === 429 || second !== 429) throw new Error(`A limit of 1 a minute gave ${first}, then ${second}`);
  const listeners = new Set<string | undefined>();
  for (let nth = 0; nth < BALANCED; nth += 1) listeners.add((await echo(running)).headers['x-listener']);
  if (listeners.size !== 2) throw new Error(`Two upstreams, and requests came to ${[...listeners].join(' and ')}`);
  await probeMetrics(running);
}

/** Anyone who measures a gateway whose metrics are off measures something else. */
async function probeMetrics({ port }: Running): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await answer.text();
  if (!answer.ok || !/^\S*gateway\S*\{[^}]*\} [1-9]/m.test(text))
    throw new Error(`GET /metrics gave ${answer.status} and nothing of the gateway's requests`);
}

async function echo(running: Running): Promise<Seen> {
  const { body } = await ask(running, ECHO_PATH, { body: POSTED.sent });
  return JSON.parse(body.toString()) as Seen;
}

async function ask(running: Running, path: string, { body }: { body?: Buffer } = {}): Promise<{ body: Buffer }> {
  const answer = await send(running, path, body);
  const received = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${path} gave ${answer.status}: ${received.toString().slice(0, 300)}`);
  return { body: received };
}

const send = ({ port, headers }: Running, path: string, body?: Buffer): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    ...{ method: body ? 'POST' : 'GET', body: body as unknown as ArrayBuffer | undefined },
    headers: { ...headers, ...(body && { 'content-type': 'application/octet-stream' }) },
  });

async function statusOf(running: Running, path: string): Promise<number> {
  const answer = await send(running, path);
  await answer.arrayBuffer();
  return answer.status;
}

async function expectStatus(running: Running, path: string, expected: number): Promise<void> {
  const status = await statusOf(running, path);
  if (status !== expected) throw new Error(`${path} gave ${status} in place of ${expected}`);
}

function same(path: string, received: Buffer, expected: Buffer): void {
  if (!received.equals(expected)) throw new Error(`${path} gave ${received.length} bytes, and not the right ones`);
}
