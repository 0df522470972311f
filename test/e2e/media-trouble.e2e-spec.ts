import type { RequestListener } from 'node:http';
import { eventually } from '../support/wait';
import { becomes, historyOf, send, type WireMessage, workingSession } from '../support/whatsapp';
import { digestOf, gate, MAX_BYTES, type MediaWorld, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

describe('a file that cannot be had', () => {
  const answering = (answer: RequestListener) => (path: string) => world.origin.serve(path, answer);
  const holding = (bytes: Buffer | string) => (path: string) => world.origin.file(path, bytes);
  const failing: { why: string; type: string; at: (path: string) => { url: string }; code: string }[] = [
    {
      ...{ why: 'is not there', type: 'image', code: 'MEDIA_REFUSED' },
      at: answering((_request, response) => response.writeHead(404).end()),
    },
    { why: 'is too large', type: 'file', at: holding(Buffer.alloc(MAX_BYTES + 1)), code: 'MEDIA_TOO_LARGE' },
    { why: 'is no image', type: 'image', at: holding('<html>'), code: 'MEDIA_REFUSED' },
    { why: 'is empty', type: 'file', at: holding(''), code: 'MEDIA_REFUSED' },
    {
      ...{ why: 'leads inside', type: 'file', code: 'MEDIA_REFUSED' },
      at: answering((_request, response) => response.writeHead(302, { location: 'http://127.0.0.2/' }).end()),
    },
    {
      ...{ why: 'comes packed', type: 'file', code: 'MEDIA_REFUSED' },
      at: answering((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(PNG)),
    },
  ];

  it.each(failing)(
    'since it $why: the message fails, its chat goes on, nothing is kept',
    async ({ why, type, at, code }) => {
      const before = await world.stored();
      const to = newChat();
      const media = { url: at(`/${why.replaceAll(' ', '-')}`).url };
      const message = await send(world.admin.http, { session_id: world.session.id, to, type, media });
      const next = await send(world.admin.http, { session_id: world.session.id, to, text: 'next' });
      const failed = await becomes(world.admin.http, message.id, 'failed');
      expect(failed).toMatchObject({ error_code: code, retryable: false, attempts: 0, media: { state: 'failed' } });
      await becomes(world.admin.http, next.id, 'read');
      expect((await world.arrivedAt(message)).map(({ text }) => text)).toEqual(['next']);
      expect((await world.stored()).sort()).toEqual(before.sort());
      expect(await historyOf(world.admin.http, message.id)).toEqual(['queued', 'failed']);
    },
  );

  it('is tried again, at last in vain: the message fails and says that a retry may help; it does', async () => {
    let down = true;
    const { url, asked } = world.origin.serve('/down.png', (_request, response) => {
      if (down) response.writeHead(503).end();
      else response.end(PNG);
    });
    const message = await world.sendMedia('image', { url });
    await eventually(() => asked() >= 2, { what: 'a second try' });
    expect(await becomes(world.admin.http, message.id, 'queued')).toMatchObject({ error_code: null });
    await world.app.owner.query('update message_media set attempts = 7 where message_id = $1', [message.id]);
    await world.dueNow(message.id);
    expect(await becomes(world.admin.http, message.id, 'failed')).toMatchObject({
      error_code: 'MEDIA_UNREACHABLE',
      retryable: true,
    });
    down = false;
    expect((await world.admin.http.post<WireMessage>(`/messages/${message.id}/retry`, {})).body).toMatchObject({
      ...{ status: 'queued', media: { state: 'pending' } },
    });
    await becomes(world.admin.http, message.id, 'read');
    expect(await world.arrivedAt(message)).toMatchObject([{ media: { sha256: digestOf(PNG) } }]);
  });
});

describe('an address that is slow', () => {
  it('holds up its own chat, in order, and nothing else of the lane or of others', async () => {
    const { opened: waits, open: release } = gate();
    const slow = world.origin.serve('/slow.png', (_request, response) => void waits.then(() => response.end(PNG)));
    const to = newChat();
    const first = await send(world.admin.http, {
      session_id: world.session.id,
      to,
      type: 'image',
      media: { url: slow.url, caption: 'first' },
    });
    // As many as one tenant may have under way, and more.
    for (let i = 0; i < 8; i += 1) await world.sendMedia('image', { url: slow.url });
    const second = await send(world.admin.http, { session_id: world.session.id, to, text: 'second' });
    const elsewhere = await send(world.admin.http, { session_id: world.session.id, to: newChat(), text: 'elsewhere' });
    await becomes(world.admin.http, elsewhere.id, 'read');

    const other = await world.app.login('TENANT_ADMIN', await world.app.make.tenant());
    const theirs = await workingSession(world.app, other.http, 'Theirs');
    const quick = await send(other.http, {
      ...{
        session_id: theirs.id,
        to: newChat(),
        type: 'image',
        media: { url: world.origin.file('/quick.png', PNG).url },
      },
    });
    await becomes(other.http, quick.id, 'read');
    expect(slow.asked()).toBe(4);
    expect(await becomes(world.admin.http, second.id, 'queued')).toMatchObject({ attempts: 0 });
    release();
    await becomes(world.admin.http, second.id, 'read');
    expect((await world.arrivedAt(first)).map(({ text }) => text)).toEqual(['first', 'second']);
  });

  it('is not waited for once its message is cancelled; what comes then is no harm', async () => {
    const { opened: waits, open: release } = gate();
    const slow = world.origin.serve('/cancelled.png', (_request, response) => void waits.then(() => response.end(PNG)));
    const to = newChat();
    const message = await send(world.admin.http, {
      session_id: world.session.id,
      to,
      type: 'image',
      media: { url: slow.url },
    });
    const next = await send(world.admin.http, { session_id: world.session.id, to, text: 'next' });
    await eventually(() => slow.asked() === 1, { what: 'the file is asked for' });
    expect((await world.admin.http.post(`/messages/${message.id}/cancel`, {})).status).toBe(200);
    await becomes(world.admin.http, next.id, 'read');
    release();
    await eventually(async () => (await world.mediaRow(message.id))?.state === 'stored', { what: 'it is stored' });
    await becomes(world.admin.http, message.id, 'cancelled');
    expect((await world.arrivedAt(message)).map(({ text }) => text)).toEqual(['next']);
  });
});
