import type { UsageResponse } from '../../src/modules/tenants/dto/usage.response';
import { formOf, postForm, upload, type WireFile } from '../support/files';
import type { HttpClient } from '../support/http-client';
import { storageDifferences } from '../support/storage';
import { eventually } from '../support/wait';
import { becomes, type WireMessage } from '../support/whatsapp';
import { digestOf, type MediaWorld, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

/** Whatever a test does, the running totals are what is kept. */
afterEach(async () => expect(await storageDifferences(world.app.owner)).toEqual([]));

const used = async (http: HttpClient = world.admin.http) =>
  (await http.get<UsageResponse>('/tenants/current/usage')).body.storage_bytes.used;
const inAnHour = () => ({ scheduled_at: new Date(Date.now() + 3_600_000) });
const now = (id: string) =>
  world.app.owner.query(`update messages set scheduled_at = now() - interval '1 second' where id = $1`, [id]);

/** Somebody sends a picture; answers its message once the file is stored. */
async function receive(filename: string): Promise<WireMessage> {
  const from = newChat();
  const media = { mimetype: 'image/png', filename, data: PNG.toString('base64') };
  await world.app.simulator.post(`/simulator/sessions/${world.session.waha_name}/inbound`, { from, text: 'a', media });
  return eventually(
    async () => {
      const [message] = (await world.admin.http.get<WireMessage[]>(`/messages?chat=${from}`)).body;
      if ((message?.media as { state?: string } | null)?.state !== 'stored' || !message) throw new Error('not yet');
      return message;
    },
    { what: 'the file is stored' },
  );
}

describe('sending a stored file', () => {
  it('every byte arrives at WhatsApp, under its name or another, and is stored once', async () => {
    const file = await upload(world.admin.http, PNG, 'shop.png');
    const before = [await used(), (await world.stored()).length];
    const message = await world.sendMedia('image', { file_id: file.id, caption: 'Our shop' });
    expect(message).toMatchObject({ type: 'image', text: 'Our shop', status: 'queued' });
    expect(message.media).toEqual({
      ...{ state: 'stored', file_id: file.id, filename: 'shop.png', mime_type: 'image/png', size: PNG.length },
    });
    await becomes(world.admin.http, message.id, 'read');
    const media = { mimetype: 'image/png', filename: 'shop.png', size: PNG.length, sha256: digestOf(PNG) };
    expect(await world.arrivedAt(message)).toEqual([expect.objectContaining({ text: 'Our shop', media })]);
    const named = await world.sendMedia('file', { file_id: file.id, filename: 'other.png' });
    await becomes(world.admin.http, named.id, 'read');
    expect(await world.arrivedAt(named)).toMatchObject([{ media: { filename: 'other.png', sha256: digestOf(PNG) } }]);
    expect((await world.admin.http.get(`/messages/${named.id}/media`)).bytes.equals(PNG)).toBe(true);
    expect([await used(), (await world.stored()).length]).toEqual(before);
  });

  it('that is deleted while messages wait is sent all the same, and counts once', async () => {
    const before = await used();
    const file = await upload(world.admin.http, PNG, 'gone.png');
    const waiting = await Promise.all([1, 2].map(() => world.sendMedia('image', { file_id: file.id }, inAnHour())));
    expect((await world.admin.http.delete(`/files/${file.id}`)).status).toBe(204);
    expect((await world.admin.http.get(`/files/${file.id}`)).outcome).toBe('404 NOT_FOUND');
    expect(await used()).toBe(before + PNG.length);
    for (const { id } of waiting) {
      await now(id);
      const sent = await becomes(world.admin.http, id, 'read');
      expect(await world.arrivedAt(sent)).toMatchObject([{ media: { sha256: digestOf(PNG) } }]);
      expect((await world.admin.http.get(`/messages/${id}/media`)).bytes.equals(PNG)).toBe(true);
    }
  });

  it('is refused where the file is not there, not theirs, empty, or no picture', async () => {
    const stranger = await world.app.login('MANAGER', await world.app.make.tenant());
    const theirs = await upload(stranger.http, PNG, 'theirs.png');
    const [text, empty] = [await upload(world.admin.http, 'a text'), await upload(world.admin.http, '')];
    const deleted = await upload(world.admin.http, PNG);
    await world.admin.http.delete(`/files/${deleted.id}`);
    const refused = async (fileId: string) => {
      const body = { session_id: world.session.id, to: newChat(), type: 'image', media: { file_id: fileId } };
      return (await world.admin.http.post('/messages/send', body)).outcome;
    };
    for (const { id } of [theirs, deleted]) expect(await refused(id)).toBe('404 NOT_FOUND');
    for (const { id } of [text, empty]) expect(await refused(id)).toBe('400 VALIDATION_FAILED');
  });

  it('races with its deletion: a message that was taken has the bytes', async () => {
    for (let round = 0; round < 5; round += 1) {
      const file = await upload(world.admin.http, PNG, 'race.png');
      const body = { session_id: world.session.id, to: newChat(), type: 'image', media: { file_id: file.id } };
      const [sent] = await Promise.all([
        world.admin.http.post<WireMessage>('/messages/send', { ...body, ...inAnHour() }),
        world.admin.http.delete(`/files/${file.id}`),
      ]);
      const served = sent.status === 202 && (await world.admin.http.get(`/messages/${sent.body.id}/media`)).status;
      expect(sent.status === 202 ? served : sent.outcome).toBe(sent.status === 202 ? 200 : '404 NOT_FOUND');
    }
  });

  it('asked again under the same key gives the first answer, though the file be gone', async () => {
    const file = await upload(world.admin.http, PNG, 'again.png');
    const body = { session_id: world.session.id, to: newChat(), type: 'image', media: { file_id: file.id } };
    const headers = { 'idempotency-key': `send ${file.id}`.replace(' ', '-') };
    const first = await world.admin.http.post<WireMessage>('/messages/send', body, { headers });
    await world.admin.http.delete(`/files/${file.id}`);
    const second = await world.admin.http.post<WireMessage>('/messages/send', body, { headers });
    expect([first.status, second.status, second.body.id]).toEqual([202, 202, first.body.id]);
  });
});

describe('a file that came in as a message', () => {
  it('is a file of nobody, read by who may read the message, listed to who sees the tenant', async () => {
    const message = await receive('from\u202eoutside.png');
    const { body: file } = await world.admin.http.get<WireFile>(`/files/${message.id}/metadata`);
    expect(file).toMatchObject({ id: message.id, user_id: null, name: 'fromoutside.png', sha256: digestOf(PNG) });
    expect((await world.admin.http.get(`/files/${message.id}`)).bytes.equals(PNG)).toBe(true);
    expect((await world.admin.http.get<WireFile[]>('/files?q=fromoutside')).body).toEqual([file]);
    const agent = await world.app.login('AGENT');
    expect((await agent.http.get(`/files/${message.id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await agent.http.get<WireFile[]>('/files')).body).toEqual([]);
    await world.app.owner.query('update messages set created_by = $2 where id = $1', [message.id, agent.userId]);
    expect((await agent.http.get(`/files/${message.id}`)).status).toBe(200);
    expect((await agent.http.delete(`/files/${message.id}`)).outcome).toBe('403 FORBIDDEN');
  });

  it('counts once, is forwarded, and gives its bytes back when it is deleted', async () => {
    const before = [await used(), (await world.stored()).length] as const;
    const message = await receive('in.png');
    expect(await used()).toBe(before[0] + PNG.length);
    expect((await world.admin.http.delete(`/files/${message.id}`)).status).toBe(204);
    expect([await used(), (await world.stored()).length]).toEqual(before);
    expect((await world.admin.http.get(`/messages/${message.id}/media`)).outcome).toBe('404 NOT_FOUND');
    const shown = (await world.admin.http.get<WireMessage>(`/messages/${message.id}`)).body;
    expect(shown.media).toMatchObject({ state: 'failed' });
    const other = await receive('forward.png');
    const forwarded = await world.sendMedia('image', { file_id: other.id });
    expect((await world.admin.http.delete(`/files/${other.id}`)).status).toBe(204);
    await becomes(world.admin.http, forwarded.id, 'read');
    expect((await world.admin.http.get(`/messages/${forwarded.id}/media`)).bytes.equals(PNG)).toBe(true);
  });
});

describe('the storage of a plan', () => {
  it('is kept to the byte, however many store at once, and is given back', async () => {
    const tenantId = await world.app.make.tenant();
    await world.app.owner.query(`update tenants set quotas = '{"storage_bytes": 10000}' where id = $1`, [tenantId]);
    const { http } = await world.app.login('MANAGER', tenantId);
    const { http: owner } = await world.app.login('TENANT_ADMIN', tenantId);
    const form = formOf({ filename: 'a.bin', bytes: Buffer.alloc(3000, 1) });
    const answers = await Promise.all(Array.from({ length: 8 }, () => postForm(http, form)));
    const kept = answers.filter(({ status }) => status === 201);
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array.from({ length: 3 }, () => '201'),
      ...Array.from({ length: 5 }, () => '402 PLAN_LIMIT_REACHED'),
    ]);
    expect(await used(owner)).toBe(9000);
    expect((await owner.get<WireFile[]>('/files')).body).toHaveLength(3);
    expect((await world.app.owner.query('select from object_removals where tenant_id = $1', [tenantId])).rowCount).toBe(
      0,
    );
    expect((await postForm(http, formOf({ filename: 'b', bytes: Buffer.alloc(1001) }))).outcome).toBe(
      '402 PLAN_LIMIT_REACHED',
    );
    const last = await upload(http, Buffer.alloc(1000));
    expect([last.size, await used(owner)]).toEqual([1000, 10_000]);
    await http.delete(`/files/${kept[0]?.body.id}`);
    expect(await used(owner)).toBe(7000);
    await upload(http, Buffer.alloc(3000));
  });
});
