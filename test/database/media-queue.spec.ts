import { randomUUID } from 'node:crypto';
import { type MediaJob, MediaStore } from '../../src/modules/messages/media/media-store.service';
import type { SlotParams } from '../../src/platform/loops/keyed-slots';
import { blocksSomebody } from '../support/blocked';
import type { TestSession } from '../support/factories';
import { startTestApp, type TestApp } from '../support/running-app';

const LEASE_MS = 60_000;
const FILE = { mimeType: 'image/png', filename: 'a.png', sizeBytes: 1, sha256: 'ab' };

let app: TestApp;
let store: MediaStore;

// Without a worker of its own: the test takes the files.
beforeAll(async () => {
  app = await startTestApp({ config: { ROLE: 'api' } });
  store = app.app.get(MediaStore);
});

afterEach(() => app.owner.query('delete from message_media'));
afterAll(() => app.close());

async function waiting(session: TestSession, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const content = { media: { state: 'pending', url: `https://example.com/${i}`, filename: null } };
    const id = await app.make.message(session, { type: 'image', content, next_attempt_at: '9999-01-01T00:00:00Z' });
    await app.owner.query(
      `insert into message_media (tenant_id, message_id, due_at) values ($1, $2, now() - interval '1 minute')`,
      [session.tenantId, id],
    );
    ids.push(id);
  }
  return ids;
}

async function addServer(): Promise<string> {
  const id = randomUUID();
  await app.owner.query('insert into waha_servers (id, base_url) values ($1, $2)', [id, `http://${id}.invalid`]);
  return id;
}
const newSession = async () => app.make.session(await app.make.tenant());
type Busy = [tenantId: string, serverId: string | null, count: number][];
const take = (addresses: number, busy: Busy = [], servers: SlotParams = [[], [], 12]): Promise<MediaJob[]> =>
  store.take({ addresses, servers, busy, each: 4, leaseMs: LEASE_MS });
const messageOf = async (id: string) =>
  (await app.owner.query<Record<string, unknown>>('select * from messages where id = $1', [id])).rows[0];

describe('the queue of files', () => {
  it('gives each file to one worker, of several at once', async () => {
    const sessions = await Promise.all([1, 2, 3, 4, 5].map(newSession));
    for (const session of sessions) await waiting(session, 4);
    const taken = (await Promise.all([1, 2, 3, 4].map(() => take(20)))).flat();
    expect(taken).toHaveLength(20);
    expect(new Set(taken.map(({ message_id }) => message_id)).size).toBe(20);
    expect(await take(20)).toEqual([]);
  });

  it('gives a few of each tenant, in turn, and no more of one than it may have under way', async () => {
    const [many, few] = [await newSession(), await newSession()];
    await waiting(many, 30);
    const [one] = await waiting(few, 1);
    const two = await take(2);
    expect(two.map(({ tenant_id }) => tenant_id).sort()).toEqual([many.tenantId, few.tenantId].sort());
    expect(two.map(({ message_id }) => message_id)).toContain(one);
    expect(await take(24, [[many.tenantId, null, 1]])).toHaveLength(3);
    expect(await take(24, [[many.tenantId, null, 4]])).toEqual([]);
  });

  it('gives no received file of a server without a slot, which hides no other of the same tenant', async () => {
    const session = await newSession();
    const server = { id: await addServer() };
    const hanging = await app.make.session(session.tenantId, { serverId: server.id });
    await waiting(hanging, 120);
    await app.owner.query(`update message_media set source_url = 'http://waha/api/files/x'`);
    const [address, received] = await waiting(session, 2);
    await app.owner.query(`update message_media set source_url = 'http://waha/api/files/y' where message_id = $1`, [
      received,
    ]);
    const full: SlotParams = [[server.id], [12], 12];
    const free = await take(24, [], full);
    expect(free.map(({ message_id }) => message_id).sort()).toEqual([address, received].sort());
    expect(await take(24, [], full)).toEqual([]);
    const busy: Busy = [[session.tenantId, server.id, 3]];
    expect(await take(0, busy, [[server.id], [9], 12])).toMatchObject([{ server_id: server.id, received: true }]);
    expect(await take(0, [], [[server.id], [10], 12])).toHaveLength(2);
  });

  it('lets only the last who took a file say what became of it', async () => {
    const session = await newSession();
    const [id = ''] = await waiting(session, 1);
    const [first] = await take(1);
    await app.owner.query('update message_media set due_at = now() where message_id = $1', [id]);
    const [second] = await take(1);
    if (!first || !second) throw new Error('Nothing was taken');
    expect([second.stale_key, second.attempts]).toEqual([first.storage_key, 2]);
    expect(await store.stored(first, FILE, null)).toBe('lost');
    expect(await store.later(first, 0, { reason: 'late', counts: true })).toBe(false);
    expect(await store.failed(first, { code: 'MEDIA_REFUSED', reason: 'late', retryable: false })).toBe(false);
    expect(await messageOf(id)).toMatchObject({ status: 'queued', error_code: null });
    expect(await store.stored(second, FILE, null)).toBe('stored');
    expect(await messageOf(id)).toMatchObject({ status: 'queued', next_attempt_at: null });
    expect(await store.failed(second, { code: 'MEDIA_REFUSED', reason: 'late', retryable: false })).toBe(false);
  });

  it('wakes the lane of what may go, and of what has failed', async () => {
    for (const end of ['stored', 'failed'] as const) {
      const session = await newSession();
      await waiting(session, 1);
      const [job] = await take(1);
      if (!job) throw new Error('Nothing was taken');
      const failure = { code: 'MEDIA_REFUSED', reason: 'no', retryable: false } as const;
      await (end === 'stored' ? store.stored(job, FILE, null) : store.failed(job, failure));
      const { rows } = await app.owner.query('select next_at <= now() as due from lanes where session_id = $1', [
        session.id,
      ]);
      expect(rows).toEqual([{ due: true }]);
    }
  });

  it.each([
    ['stored', (job: MediaJob) => store.stored(job, FILE, null)],
    ['stored within a bound', (job: MediaJob) => store.stored(job, FILE, 1_000_000)],
    ['failed', (job: MediaJob) => store.failed(job, { code: 'MEDIA_REFUSED', reason: 'no', retryable: false })],
  ])('says again what became of a file where the database breaks a deadlock: %s', async (_end, end) => {
    const session = await newSession();
    const [id = ''] = await waiting(session, 1);
    const [job] = await take(1);
    if (!job) throw new Error('Nothing was taken');
    const other = await app.db.owner();
    await other.query(`set deadlock_timeout = '1min'`); // the service's statement is the one that gives way
    await other.query('begin');
    await other.query('select from message_media where message_id = $1 for update', [id]);
    const outcome = end(job);
    await blocksSomebody(other, 'it waits for the file of the message');
    await other.query('select from lanes where session_id = $1 for update', [session.id]);
    await other.query('commit');
    await other.end();
    expect(['stored', true]).toContain(await outcome);
  });

  it('keeps nothing for a tenant that is deleted', async () => {
    const session = await newSession();
    const [id = ''] = await waiting(session, 1);
    const [job] = await take(1);
    await app.owner.query('update tenants set deleted_at = now() where id = $1', [session.tenantId]);
    expect(job && (await store.stored(job, FILE, null))).toBe('lost');
    expect(await messageOf(id)).toMatchObject({ content: { media: { state: 'pending' } } });
  });

  it('gives back an attempt that was no fault of the address', async () => {
    const session = await newSession();
    await waiting(session, 1);
    const [job] = await take(1);
    if (!job) throw new Error('Nothing was taken');
    expect(await store.later(job, 0, { reason: 'The worker ended', counts: false })).toBe(true);
    expect(await take(1)).toMatchObject([{ attempts: 1, message_id: job.message_id }]);
    expect(await store.later({ ...job, storage_key: randomUUID() }, 0, { reason: '', counts: true })).toBe(false);
  });
});
