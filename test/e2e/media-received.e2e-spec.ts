import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { blocksSomebody } from '../support/blocked';
import { storageDifferences } from '../support/storage';
import { eventually } from '../support/wait';
import type { WireMessage } from '../support/whatsapp';
import { type MediaWorld, MAX_BYTES, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterEach(() => world.proxy.spoil(() => undefined));
afterAll(() => world.close());

/** Whatever a test does, the running totals are what is kept. */
afterEach(async () => expect(await storageDifferences(world.app.owner)).toEqual([]));

/** Somebody sends a file; answers the message once its file is in that state. */
async function receive(
  media: { bytes: Buffer; mimetype: string; filename?: string },
  state: string,
): Promise<WireMessage> {
  const { app, admin, session } = world;
  const from = newChat();
  const { bytes, ...described } = media;
  const file = { ...described, data: bytes.toString('base64') };
  await app.simulator.post(`/simulator/sessions/${session.waha_name}/inbound`, { from, text: 'look', media: file });
  return eventually(
    async () => {
      const [message] = (await admin.http.get<WireMessage[]>(`/messages?chat=${from}`)).body;
      const found = (message?.media as { state?: string } | null)?.state;
      if (!message || found !== state) throw new Error(`it is ${found}`);
      return message;
    },
    { what: `a file that is ${state}` },
  );
}

const isFile = ({ path: asked }: { path: string }) => asked.startsWith('/api/files/');
const fileCalls = () => world.proxy.calls.filter(isFile).length;

describe('a file that is received', () => {
  it('is kept, and served to whoever may read its message', async () => {
    const { app, admin } = world;
    const message = await receive({ bytes: PNG, mimetype: 'image/jpeg', filename: 'photo.png' }, 'stored');
    expect(message).toMatchObject({ status: 'received', direction: 'inbound', text: 'look' });
    expect(message.media).toEqual({ state: 'stored', mime_type: 'image/png', filename: 'photo.png', size: PNG.length });
    const answer = await admin.http.get(`/messages/${message.id}/media`);
    expect([answer.status, answer.headers.get('content-type'), answer.bytes.equals(PNG)]).toEqual([
      200,
      'image/png',
      true,
    ]);
    const part = await admin.http.get(`/messages/${message.id}/media`, { headers: { range: 'bytes=0-3' } });
    expect([part.status, part.bytes.equals(PNG.subarray(0, 4))]).toEqual([206, true]);
    const auditor = await app.login('AUDITOR');
    expect((await auditor.http.get(`/messages/${message.id}/media`)).status).toBe(200);
    const strangers = [await app.login('AGENT'), await app.login('TENANT_ADMIN', await app.make.tenant())];
    for (const { http } of strangers)
      expect((await http.get(`/messages/${message.id}/media`)).outcome).toBe('404 NOT_FOUND');
    expect((await app.anybody.get(`/messages/${message.id}/media`)).status).toBe(401);
  });

  it('is kept also where no event told of it, though WAHA lists messages without their files', async () => {
    const { app, session } = world;
    await app.simulator.call('PUT', '/simulator/faults', { webhooks: { lose_rate: 1 } });
    const unheard = receive({ bytes: PNG, mimetype: 'image/png', filename: 'unheard.png' }, 'stored');
    await eventually(
      async () => {
        const { body } = await app.simulator.get<unknown[]>(
          `/api/${session.waha_name}/chats/all/messages?limit=5&downloadMedia=true`,
        );
        if (!JSON.stringify(body).includes('unheard.png')) throw new Error('WAHA does not have it yet');
      },
      { what: 'WAHA to have it' },
    );
    await app.simulator.delete('/simulator/faults');
    await app.owner.query(`update sessions set caught_up_to = now() - interval '11 minutes' where id = $1`, [
      session.id,
    ]);
    expect((await unheard).media).toEqual({
      ...{ state: 'stored', mime_type: 'image/png', filename: 'unheard.png', size: PNG.length },
    });
  });

  it('is asked of WAHA again while that is in trouble', async () => {
    let troubles = 2;
    world.proxy.spoil((call) => {
      if (!isFile(call) || troubles === 0) return undefined;
      troubles -= 1;
      return { status: troubles === 1 ? 500 : 401, body: {} };
    });
    const message = await receive({ bytes: Buffer.from('a text'), mimetype: 'text/plain' }, 'stored');
    expect(message.media).toMatchObject({ mime_type: 'text/plain', filename: 'file.txt', size: 6 });
  });

  it('that WAHA has no more, or that is too large, is told as failed; its message stays, and nothing is kept', async () => {
    const before = (await readdir(path.join(world.folder, world.app.tenantId))).length;
    world.proxy.spoil((call) => (isFile(call) ? { status: 404, body: {} } : undefined));
    const gone = await receive({ bytes: PNG, mimetype: 'image/png' }, 'failed');
    world.proxy.spoil(() => undefined);
    const large = await receive({ bytes: Buffer.alloc(MAX_BYTES + 1), mimetype: 'image/png' }, 'failed');
    for (const { id } of [gone, large]) {
      const message = (await world.admin.http.get<WireMessage>(`/messages/${id}`)).body;
      expect(message).toMatchObject({ status: 'received', error_code: null, text: 'look' });
      expect((await world.admin.http.get(`/messages/${id}/media`)).outcome).toBe('404 NOT_FOUND');
    }
    expect((await readdir(path.join(world.folder, world.app.tenantId))).length).toBe(before);
  });

  it('is asked of the session’s own WAHA, whatever host the event names, and of its files alone', async () => {
    const { app, admin, session, origin } = world;
    const elsewhere = origin.file('/secret', 'somebody else’s');
    const before = fileCalls();
    const from = newChat();
    const payload = (id: string, url: string) => ({
      ...{ id: `false_${from}_${id}`, timestamp: Math.floor(Date.now() / 1000), from, fromMe: false, body: '' },
      ...{ hasMedia: true, media: { url, mimetype: 'image/png', filename: null } },
    });
    const tell = (id: string, url: string) =>
      app.simulator.post(`/simulator/sessions/${session.waha_name}/event`, {
        event: 'message',
        payload: payload(id, url),
      });
    await tell('ELSEWHERE', elsewhere.url);
    await tell('OTHERHOST', elsewhere.url.replace('/secret', '/api/files/nobody/nothing.png'));
    await eventually(
      async () => {
        const { body } = await admin.http.get<WireMessage[]>(`/messages?chat=${from}`);
        const states = body.map(({ media }) => (media as { state: string }).state);
        if (states.join() !== 'failed,failed') throw new Error(states.join());
      },
      { what: 'both have failed', timeoutMs: 20_000 },
    );
    expect([elsewhere.asked(), fileCalls() - before]).toEqual([0, 1]);
  });

  it('is not asked for again, nor shown, once its message is revoked', async () => {
    const { app, admin } = world;
    world.proxy.spoil((call) => (isFile(call) ? { status: 404, body: {} } : undefined));
    const { id } = await receive({ bytes: PNG, mimetype: 'image/png' }, 'failed');
    const retry = () => admin.http.post<{ error: string }>(`/messages/${id}/retry`, {});
    const revoker = await app.db.owner();
    await revoker.query('begin');
    await revoker.query(`update messages set body = null, content = '{}', revoked_at = now() where id = $1`, [id]);
    const retrying = retry();
    await blocksSomebody(revoker, 'the retry to wait');
    await revoker.query('commit');
    await revoker.end();
    for (const answer of [await retrying, await retry()])
      expect([answer.outcome, answer.text]).toEqual(['409 MESSAGE_STATE', expect.stringContaining('revoked')]);
    expect(await world.mediaRow(id)).toMatchObject({ state: 'failed', storage_key: expect.any(String), due_at: null });
    expect((await admin.http.get<WireMessage>(`/messages/${id}`)).body.media).toBeNull();
  });
});
