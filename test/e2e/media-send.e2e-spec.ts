import type { UsageResponse } from '../../src/modules/tenants/dto/usage.response';
import { eventually } from '../support/wait';
import { becomes, historyOf, send, workingSession } from '../support/whatsapp';
import { digestOf, type MediaWorld, MP4, newChat, OGG, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

const refusedFor = async (body: object) => {
  const answer = await world.admin.http.post<{ code: string; details?: { field: string }[] }>('/messages/send', {
    ...{ session_id: world.session.id, to: newChat(), type: 'image' },
    ...body,
  });
  return [answer.outcome, ...(answer.body.details ?? []).map(({ field }) => field)];
};
describe('sending a file', () => {
  it.each([
    ['image', 'photo.png', PNG, 'image/png'],
    ['file', 'terms.txt', Buffer.from('The terms are these.'), 'text/plain'],
    ['voice', 'hello.ogg', OGG, 'audio/ogg; codecs=opus'],
    ['video', 'film.mp4', MP4, 'video/mp4'],
  ])('%s: every byte arrives at WhatsApp, fetched once', async (type, name, bytes, mimetype) => {
    const { url, asked } = world.origin.file(`/${name}`, bytes);
    const accepted = await world.sendMedia(type, { url });
    expect(accepted).toMatchObject({
      type,
      status: 'queued',
      media: { state: 'pending', url, mime_type: null, size: null },
    });
    const read = await becomes(world.admin.http, accepted.id, 'read');
    expect(read.media).toEqual({ state: 'stored', url, filename: name, mime_type: mimetype, size: bytes.length });
    expect(await world.arrivedAt(accepted)).toEqual([
      expect.objectContaining({
        type,
        text: '',
        media: { mimetype, filename: name, size: bytes.length, sha256: digestOf(bytes) },
      }),
    ]);
    expect(asked()).toBe(1);
    // WAHA posts acks side by side: the last may come first, and then outranks the one before it.
    const whole = ['queued', 'sending', 'sent', 'delivered', 'read'];
    const overtaken = ['queued', 'sending', 'sent', 'read'];
    expect([whole, overtaken]).toContainEqual(await historyOf(world.admin.http, accepted.id));
  });

  it('with its caption as the text, under the name that was given', async () => {
    const { url } = world.origin.file('/raw', PNG);
    const message = await world.sendMedia('image', { url, caption: 'Our shop', filename: 'shop.png' });
    expect(message.text).toBe('Our shop');
    await becomes(world.admin.http, message.id, 'read');
    expect(await world.arrivedAt(message)).toMatchObject([{ text: 'Our shop', media: { filename: 'shop.png' } }]);
  });

  it('asks WAHA to convert what WhatsApp does not play as it is', async () => {
    const mp3 = Buffer.concat([
      Buffer.from('ID3\x03\0\0\0\0\0\0'),
      Buffer.from([0xff, 0xfb, 0x90, 0x64]),
      Buffer.alloc(500),
    ]);
    await becomes(
      world.admin.http,
      (await world.sendMedia('voice', { url: world.origin.file('/a.mp3', mp3).url })).id,
      'read',
    );
    const voices = world
      .callsTo('/api/sendVoice')
      .map(({ convert, file }) => [(file as { mimetype: string }).mimetype, convert]);
    expect(voices).toEqual([
      ['audio/ogg; codecs=opus', false],
      ['audio/mpeg', true],
    ]);
    expect(world.callsTo('/api/sendVideo')).toMatchObject([{ convert: false }]);
  });

  it('is scheduled: the file is kept before its time', async () => {
    const { url, asked } = world.origin.file('/later.png', PNG);
    const message = await world.sendMedia('image', { url }, { scheduled_at: new Date(Date.now() + 3_600_000) });
    await eventually(async () => (await world.mediaRow(message.id))?.state === 'stored', {
      what: 'the file is stored',
    });
    expect([(await becomes(world.admin.http, message.id, 'scheduled')).media, asked()]).toEqual([
      expect.objectContaining({ state: 'stored' }),
      1,
    ]);
    await world.app.owner.query('update messages set scheduled_at = now() where id = $1', [message.id]);
    await becomes(world.admin.http, message.id, 'read');
    expect(await world.arrivedAt(message)).toHaveLength(1);
  });

  it('counts in what the tenant stores', async () => {
    const before = (await world.admin.http.get<UsageResponse>('/tenants/current/usage')).body.storage_bytes.used;
    await becomes(
      world.admin.http,
      (await world.sendMedia('file', { url: world.origin.file('/n.txt', 'a'.repeat(1_000)).url })).id,
      'read',
    );
    const after = (await world.admin.http.get<UsageResponse>('/tenants/current/usage')).body.storage_bytes.used;
    expect(after - before).toBe(1_000);
  });

  it('is refused at once where nothing would ever be sent', async () => {
    const url = 'https://example.com/a.png';
    expect(await refusedFor({ media: {} })).toEqual(['400 VALIDATION_FAILED', 'media.url']);
    for (const bad of [
      'ftp://example.com/a',
      'file:///etc/passwd',
      'http://10.0.0.1/',
      'http://169.254.169.254/',
      'http://[::1]/',
      'http://a:b@example.com/',
      'a',
    ])
      expect([bad, ...(await refusedFor({ media: { url: bad } }))]).toEqual([
        bad,
        '400 VALIDATION_FAILED',
        'media.url',
      ]);
    expect(await refusedFor({ media: { file_id: world.session.id } })).toEqual(['404 NOT_FOUND']);
    expect(await refusedFor({ media: { file_id: 'a' } })).toEqual(['400 VALIDATION_FAILED', 'media.file_id']);
    expect(await refusedFor({ media: { caption: 'a' } })).toEqual(['400 VALIDATION_FAILED', 'media.url']);
    expect(await refusedFor({ media: { url, file_id: world.session.id } })).toEqual([
      '400 VALIDATION_FAILED',
      'media.file_id',
    ]);
    expect(await refusedFor({ media: { url }, type: undefined })).toEqual(['400 VALIDATION_FAILED', 'type']);
    expect(await refusedFor({ media: { url, filename: '../a' } })).toEqual(['400 VALIDATION_FAILED', 'media.filename']);
    expect(await refusedFor({ media: { url, caption: 'a' }, type: 'voice' })).toEqual([
      '400 VALIDATION_FAILED',
      'media.caption',
    ]);
    expect(await refusedFor({ media: { url }, text: 'too' })).toEqual(['400 VALIDATION_FAILED', 'media']);
  });

  it('is refused when the storage of the tenant is full', async () => {
    const tenantId = await world.app.make.tenant();
    await world.app.owner.query(
      `update tenants set quotas = jsonb_build_object('storage_bytes', $2::int) where id = $1`,
      [
        ...[tenantId, PNG.length], // one such file, and no more
      ],
    );
    const other = await world.app.login('TENANT_ADMIN', tenantId);
    const theirs = await workingSession(world.app, other.http, 'Full');
    const media = { url: world.origin.file('/f.png', PNG).url };
    const body = { session_id: theirs.id, to: newChat(), type: 'image', media };
    await becomes(other.http, (await send(other.http, body)).id, 'read');
    expect((await other.http.post('/messages/send', body)).outcome).toBe('402 PLAN_LIMIT_REACHED');
    await becomes(other.http, (await send(other.http, { to: newChat(), text: 'a text takes none' })).id, 'read');
  });
});
