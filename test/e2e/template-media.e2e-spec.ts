import { newId } from '../../src/common/ids';
import type { WireTemplate } from '../support/templates';
import { becomes, send, type WireMessage } from '../support/whatsapp';
import { bulk, campaignIs, ledger } from './campaigns.harness';
import { digestOf, type MediaWorld, newChat, PNG, startMediaWorld } from './media.harness';

let world: MediaWorld;

beforeAll(async () => {
  world = await startMediaWorld();
});

afterAll(() => world.close());

const make = async (fields: object): Promise<WireTemplate> => {
  const draft = { name: `Template ${newId()}`, language: 'en', text: 'For {{name}}' };
  const answer = await world.admin.http.post<WireTemplate>('/templates', { ...draft, ...fields });
  expect(answer.outcome).toBe('201');
  return answer.body;
};
const patch = (id: string, fields: object) => world.admin.http.call<WireTemplate>('PATCH', `/templates/${id}`, fields);
const sendOf = (template: WireTemplate, more: object = {}) => ({
  ...{ session_id: world.session.id, to: newChat(), template_id: template.id, variables: { name: 'Ada' } },
  ...more,
});

describe('a template with a file', () => {
  it('keeps it, changes it and lets it go', async () => {
    const media = { type: 'image', url: 'https://example.com/a.png', filename: 'a.png' };
    const template = await make({ media });
    expect(template.media).toEqual(media);
    const version = async () => (await world.admin.http.get(`/templates/${template.id}`)).headers.get('etag');
    const before = await version();
    expect((await patch(template.id, { media })).body.media).toEqual(media);
    expect(await version()).toBe(before); // nothing was changed
    const file = { type: 'file', url: 'https://example.com/b.pdf' };
    expect((await patch(template.id, { media: file })).body.media).toEqual(file);
    expect((await patch(template.id, { text: 'x'.repeat(1_025) })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await patch(template.id, { media: null, text: 'x'.repeat(1_025) })).body.media).toBeNull();
    expect((await patch(template.id, { media: file })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await make({})).media).toBeNull();
  });

  it('is sent with its text as the caption, and fetched for each message', async () => {
    const { url, asked } = world.origin.file('/template.png', PNG);
    const template = await make({ media: { type: 'image', url, filename: 'offer.png' } });
    for (const more of [{}, { type: 'image', variables: { name: 'Bob' } }]) {
      const message = await send(world.admin.http, sendOf(template, more));
      const text = 'variables' in more ? 'For Bob' : 'For Ada';
      expect(message).toMatchObject({
        type: 'image',
        text,
        template_id: template.id,
        media: { state: 'pending', url },
      });
      await becomes(world.admin.http, message.id, 'read');
      expect(await world.arrivedAt(message)).toMatchObject([
        { type: 'image', text, media: { filename: 'offer.png', sha256: digestOf(PNG) } },
      ]);
    }
    expect(asked()).toBe(2);
  });

  it.each([
    ['type', { type: 'text' }],
    ['type', { type: 'video' }],
    ['media', { media: { url: 'https://example.com/a.png' }, type: 'image' }],
    ['text', { text: 'x' }],
    ['variables', { variables: { name: 'x'.repeat(1_000) } }],
    ['variables.name', { variables: {} }],
  ])('is not sent where %s says something else: %j', async (field, more) => {
    const template = await make({
      text: 'For {{name}}, with our best wishes for the whole year',
      media: { type: 'image', url: 'https://example.com/a.png' },
    });
    const answer = await world.admin.http.post<{ details: { field: string }[] }>(
      '/messages/send',
      sendOf(template, more),
    );
    expect([answer.outcome, answer.body.details[0]?.field]).toEqual(['400 VALIDATION_FAILED', field]);
  });
});

describe('a campaign with a file', () => {
  const recipients = () => ['Ada', 'Bob', 'Cy'].map((name) => ({ to: newChat(), variables: { name } }));

  async function arrivedFor(id: string | null): Promise<[string | null, unknown][]> {
    await campaignIs(world.admin.http, id, 'finished');
    const messages: WireMessage[] = await ledger(world.admin.http, id);
    const arrived = await Promise.all(messages.map((message) => world.arrivedAt(message)));
    return arrived.flat().map(({ text, media }) => [text, (media as { sha256: string } | undefined)?.sha256]);
  }
  const each = [
    ['For Ada', digestOf(PNG)],
    ['For Bob', digestOf(PNG)],
    ['For Cy', digestOf(PNG)],
  ];

  it('of a template arrives with each its caption', async () => {
    const { url, asked } = world.origin.file('/bulk.png', PNG);
    const template = await make({ media: { type: 'image', url } });
    const body = { session_id: world.session.id, template_id: template.id, recipients: recipients() };
    const { campaign_id: id, accepted } = (await bulk(world.admin.http, body)).body;
    expect(accepted).toBe(3);
    expect((await arrivedFor(id)).sort()).toEqual(each);
    expect(asked()).toBe(3);
  }, 40_000);

  it('of a message too, and a caption that becomes too long is told of', async () => {
    const { url } = world.origin.file('/bulk2.png', PNG);
    const message = { type: 'image', media: { url, caption: 'For {{name}}' } };
    const long = { to: newChat(), variables: { name: 'x'.repeat(1_000) } };
    const caption = `For {{name}}${' '.repeat(30)}!`;
    const body = { session_id: world.session.id, message, recipients: recipients() };
    const { campaign_id: id } = (await bulk(world.admin.http, body)).body;
    expect((await arrivedFor(id)).sort()).toEqual(each);
    const rejected = await bulk(world.admin.http, {
      ...body,
      message: { ...message, media: { url, caption } },
      recipients: [...recipients(), long],
      dry_run: true,
    });
    expect([rejected.body.accepted, rejected.body.rejected.map(({ index, code }) => [index, code])]).toEqual([
      3,
      [[3, 'VALIDATION_FAILED']],
    ]);
  }, 40_000);

  it('is refused where nobody would fetch the file', async () => {
    const message = { type: 'image', media: { url: 'http://10.0.0.1/a.png' } };
    const answer = await bulk(world.admin.http, { session_id: world.session.id, message, recipients: recipients() });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
  });

  it('that is cancelled while its files are fetched sends none of them', async () => {
    const held = world.origin.file('/never.png', PNG);
    const session = { session_id: world.session.id };
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const message = { type: 'image', media: { url: held.url } };
    const { campaign_id: id } = (
      await bulk(world.admin.http, { ...session, message, scheduled_at: later, recipients: recipients() })
    ).body;
    expect((await world.admin.http.post(`/campaigns/${id}/cancel`)).status).toBe(200);
    const ended = await ledger(world.admin.http, id);
    for (const each of ended) await becomes(world.admin.http, each.id, 'cancelled');
    expect((await Promise.all(ended.map((each) => world.arrivedAt(each)))).flat()).toEqual([]);
  }, 40_000);
});
