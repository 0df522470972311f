import { becomes } from '../support/whatsapp';
import { type MediaWorld, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

describe('GET /media/:token', () => {
  let link: string;
  const text = Buffer.from('0123456789');

  beforeAll(async () => {
    const message = await world.sendMedia('file', {
      url: world.origin.file('/digits.txt', text).url,
      filename: 'Größe (1).txt',
    });
    await becomes(world.admin.http, message.id, 'read');
    const call = world.callsTo('/api/sendFile').find(({ chatId }) => chatId === message.chat);
    link = (call?.file as { url: string }).url.slice(world.app.url.length);
  });

  it('serves the file to whoever has the link, as a download that no browser guesses at', async () => {
    const answer = await world.app.anybody.get(link);
    expect([answer.status, answer.text]).toEqual([200, '0123456789']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...{
        'content-type': 'text/plain',
        'content-length': '10',
        'accept-ranges': 'bytes',
        'cache-control': 'private, no-cache',
      },
      'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="Gr??e (1).txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%281%29.txt`,
    });
  });

  it('serves parts, and what comes before any of it (HEAD)', async () => {
    const part = await world.app.anybody.get(link, { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.text, part.headers.get('content-range'), part.headers.get('content-length')]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
      '3',
    ]);
    const beyond = await world.app.anybody.get(link, { headers: { range: 'bytes=10-' } });
    expect([beyond.outcome, beyond.headers.get('content-range')]).toEqual(['416 RANGE_NOT_SATISFIABLE', 'bytes */10']);
    const head = await world.app.anybody.call('HEAD', link);
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '10']);
  });

  it('knows no other link, however alike', async () => {
    const token = link.slice('/media/'.length);
    for (const other of [`${token}A`, token.slice(1), `B${token.slice(1)}`, world.app.tenantId])
      expect((await world.app.anybody.get(`/media/${other}`)).outcome).toBe('404 NOT_FOUND');
  });
});
