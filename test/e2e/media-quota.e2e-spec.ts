import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { UsageResponse } from '../../src/modules/tenants/dto/usage.response';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import { auditRecords } from '../support/audit-records';
import { objectsIn } from './imports.harness';
import { storageDifferences } from '../support/storage';
import { eventually } from '../support/wait';
import { becomes, send, type WireMessage, type WireSession, workingSession } from '../support/whatsapp';
import { MAX_BYTES, type MediaWorld, newChat, startMediaWorld } from './media.harness';

const SIZE = 3_000;

let world: MediaWorld;
let replica: NestFastifyApplication;

beforeAll(async () => {
  world = await startMediaWorld();
  // A second worker on the same database.
  replica = await createTestApp({
    ...{ DATABASE_URL: world.app.db.ownerUrl, STORAGE_PATH: world.folder, MAX_UPLOAD_BYTES: String(MAX_BYTES) },
    ...{ WAHA_BASE_URL: world.proxy.url, EGRESS_ALLOWED_CIDRS: '127.0.0.1', ROLE: 'worker' },
  });
  await replica.init();
});

afterAll(async () => {
  await shutDown(replica, 20_000);
  await world.close();
});

/** Whatever a test does, the running totals are what is kept. */
afterEach(async () => expect(await storageDifferences(world.app.owner)).toEqual([]));

/** A tenant of its own that may keep three such files. */
async function smallTenant() {
  const { app } = world;
  const tenantId = await app.make.tenant();
  await setQuota(tenantId, 10_000);
  const { http } = await app.login('TENANT_ADMIN', tenantId);
  return { tenantId, http, session: await workingSession(app, http, `Small ${tenantId}`) };
}

const setQuota = (tenantId: string, bytes: number) =>
  world.app.owner.query(`update tenants set quotas = jsonb_build_object('storage_bytes', $2::int) where id = $1`, [
    ...[tenantId, bytes],
  ]);

const receive = (session: WireSession, text: string) => {
  const media = { mimetype: 'text/plain', data: Buffer.alloc(SIZE, text).toString('base64') };
  return world.app.simulator.post(`/simulator/sessions/${session.waha_name}/inbound`, { from: newChat(), text, media });
};

interface MediaRow {
  message_id: string;
  state: string;
  error: string | null;
}

const rowsOf = async (tenantId: string, state: string): Promise<MediaRow[]> => {
  const text = `select message_id, state, error from message_media where tenant_id = $1 and state = $2`;
  return (await world.app.owner.query<MediaRow>(text, [tenantId, state])).rows;
};

describe('a tenant whose storage is full', () => {
  it('keeps of what it receives as much as it may, over two processes, and loses none of the rest silently', async () => {
    const { tenantId, http, session } = await smallTenant();
    await Promise.all(Array.from({ length: 8 }, (_, n) => receive(session, `file ${n}`)));
    const waiting = await eventually(
      async () => {
        const told = (await rowsOf(tenantId, 'pending')).filter(({ error }) => error?.includes('no room'));
        const stored = await rowsOf(tenantId, 'stored');
        if (stored.length + told.length !== 8) throw new Error(`${stored.length} stored, ${told.length} told of`);
        return told;
      },
      { what: 'each is stored, or told of', timeoutMs: 20_000 },
    );
    expect(waiting).toHaveLength(5);
    const used = (await http.get<UsageResponse>('/tenants/current/usage')).body.storage_bytes.used;
    expect(used).toBe(3 * SIZE);
    const records = await auditRecords(world.app.owner, ['FILE_RECEIVED'], 'file:');
    expect(records.filter(({ tenant_id }) => tenant_id === tenantId)).toEqual(
      Array(3).fill(
        expect.objectContaining({
          ...{ actor_kind: 'system', metadata: { size: SIZE, mime_type: 'text/plain' } },
          personal: expect.objectContaining({ name: 'file.txt' }),
        }),
      ),
    );

    // Nobody makes room, and it is given up: the message says why, and the file is asked for again when somebody does.
    const lost = waiting[0]?.message_id ?? '';
    // Between two attempts: one that runs (its lease is far longer than these pauses) would be taken over.
    await eventually(
      async () => {
        const { rowCount } = await world.app.owner.query(
          `update message_media set attempts = 7, due_at = now() where message_id = $1 and state = 'pending'
            and due_at between now() + interval '100 ms' and now() + interval '30 s'`,
          [lost],
        );
        return rowCount === 1;
      },
      { what: 'no attempt to run', everyMs: 20 },
    );
    const message = async () => (await http.get<WireMessage>(`/messages/${lost}`)).body;
    await eventually(async () => (await world.mediaRow(lost))?.state === 'failed', { what: 'it is given up' });
    expect(await message()).toMatchObject({
      status: 'received',
      media: { state: 'failed', error: expect.stringContaining('no room'), error_code: 'STORAGE_FULL' },
    });
    expect(await objectsIn(world.folder, tenantId)).toHaveLength(3);
    await setQuota(tenantId, 1_000_000);
    const retried = await http.post<WireMessage>(`/messages/${lost}/retry`, {});
    expect([retried.status, retried.body.media]).toEqual([
      202,
      expect.not.objectContaining({ error_code: 'STORAGE_FULL' }),
    ]);
    await eventually(
      async () => {
        // For some seconds the former bound may still be known.
        const state = (await world.mediaRow(lost))?.state;
        if (state === 'failed') await http.post(`/messages/${lost}/retry`, {});
        return state === 'stored';
      },
      { what: 'it is stored after all', timeoutMs: 25_000, everyMs: 200 },
    );
    expect((await message()).media).toEqual({
      ...{ state: 'stored', mime_type: 'text/plain', filename: 'file.txt', size: SIZE },
    });
    expect((await http.post(`/messages/${lost}/retry`, {})).outcome).toBe('409 MESSAGE_STATE');
  });

  it('fails the message whose file has no room, which may be retried once there is some', async () => {
    const { tenantId, http, session } = await smallTenant();
    const { url } = world.origin.file('/large.bin', Buffer.alloc(6_000, 'x'));
    const post = () => send(http, { session_id: session.id, to: newChat(), type: 'file', media: { url } });
    const sent = await Promise.all([post(), post(), post()]);
    const stored = await eventually(
      async () => {
        const [there, failed] = [await rowsOf(tenantId, 'stored'), await rowsOf(tenantId, 'failed')];
        if (there.length + failed.length !== 3) throw new Error('not yet');
        return there;
      },
      { what: 'each is stored or has failed', timeoutMs: 20_000 },
    );
    expect([stored.length, (await objectsIn(world.folder, tenantId)).length]).toEqual([1, 1]);
    const failed = sent.find(({ id }) => id !== stored[0]?.message_id)?.id ?? '';
    expect(await becomes(http, failed, 'failed')).toMatchObject({ error_code: 'STORAGE_FULL', retryable: true });
    expect((await auditRecords(world.app.owner, ['FILE_RECEIVED'], failed)).length).toBe(0);
    await setQuota(tenantId, 1_000_000);
    await eventually(
      async () => {
        const { status } = (await http.get<WireMessage>(`/messages/${failed}`)).body;
        if (status === 'failed') await http.post(`/messages/${failed}/retry`, {});
        return status === 'read';
      },
      { what: 'it is sent after all', timeoutMs: 20_000, everyMs: 200 },
    );
  });
});
