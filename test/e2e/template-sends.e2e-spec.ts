import { TemplatesService } from '../../src/modules/templates/templates.service';
import { AppError } from '../../src/common/app-error';
import { userActor } from '../../src/common/actor';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { makeTemplate } from '../support/templates';
import { becomes, send, sendsOf, type WireMessage, type WireSession, workingSession } from '../support/whatsapp';

interface Refusal {
  details: { field: string; message: string }[];
}

describe('a message made of a template', () => {
  let app: TestApp;
  let admin: LoggedIn;
  let session: WireSession;
  let template: string;

  const make = async (http: LoggedIn['http'], text: string) => (await makeTemplate(http, text)).id;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    session = await workingSession(app, admin.http);
    template = await make(admin.http, 'Hello {{name}}, order {{ order_no }} costs {{total}}.');
  });

  afterAll(() => app.close());

  const TO = '5511888870000';
  const values = { name: 'Ada {{total}}', order_no: 7, total: '12 €' };
  const refusal = async (body: object) => admin.http.post<Refusal>('/messages/send', { to: TO, ...body });

  it('says what the template says with its variables, remembers it, and is sent so', async () => {
    const message = await send(admin.http, { to: TO, type: 'text', template_id: template, variables: values });
    const text = 'Hello Ada {{total}}, order 7 costs 12 €.';
    expect(message).toMatchObject({ type: 'text', text, template_id: template, status: 'queued' });
    const read = await becomes(admin.http, message.id, 'read');
    expect(read).toMatchObject({ text, template_id: template });
    expect((await sendsOf(app, session)).map((each) => each.text)).toContain(text);
    const { body: list } = await admin.http.get<WireMessage[]>('/messages?limit=1');
    expect(list).toEqual([read]);
  });

  it('may bring more variables than are asked for, and goes with all that a message may have', async () => {
    const variables = { ...values, 'A column of the list': 'x', constructors: 1 };
    const options = {
      scheduled_at: new Date(Date.now() + 60_000).toISOString(),
      link_preview: false,
      metadata: { a: 1 },
    };
    const message = await send(admin.http, { to: TO, template_id: template.toUpperCase(), variables, ...options });
    expect(message).toMatchObject({ status: 'scheduled', template_id: template, metadata: { a: 1 } });
    const plain = await make(admin.http, 'No variables');
    expect((await send(admin.http, { to: TO, template_id: plain })).text).toBe('No variables');
  });

  it('may have variables named like members of every object', async () => {
    const id = await make(admin.http, '{{toString}} {{constructor}}');
    const none = await refusal({ template_id: id, variables: {} });
    expect(none.body.details.map(({ field }) => field)).toEqual(['variables.toString', 'variables.constructor']);
    const variables = { toString: 'a', constructor: 'b' };
    expect((await send(admin.http, { to: TO, template_id: id, variables })).text).toBe('a b');
  });

  it('keeps its text and template when that is changed and deleted', async () => {
    const id = await make(admin.http, 'Before {{x}}');
    const scheduled_at = new Date(Date.now() + 2_000).toISOString();
    const message = await send(admin.http, { to: TO, template_id: id, variables: { x: 1 }, scheduled_at });
    await admin.http.call('PATCH', `/templates/${id}`, { text: 'After' });
    await admin.http.delete(`/templates/${id}`);
    expect(await becomes(admin.http, message.id, 'read')).toMatchObject({ text: 'Before 1', template_id: id });
  });

  it('is refused where variables are missing, each of which is named', async () => {
    const answer = await refusal({ template_id: template, variables: { order_no: 1 } });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details.map(({ field }) => field)).toEqual(['variables.name', 'variables.total']);
    const none = await refusal({ template_id: template });
    expect(none.body.details).toHaveLength(3);
  });

  it.each([
    ['text', { text: 'both' }],
    ['location', { location: { latitude: 1, longitude: 2 } }],
    ['poll', { type: 'poll' }],
    ['variables', { variables: { name: null } }],
    ['variables', { variables: { name: { first: 'Ada' } } }],
    ['variables', { variables: { name: true } }],
    ['variables', { variables: ['Ada'] }],
    ['variables', { variables: 'Ada' }],
    ['variables', { variables: { name: 'x'.repeat(1_001) } }],
    ['variables', { variables: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`v${i}`, i])) }],
    ['variables.name', { variables: { name: 'NUL \0' } }],
    ['template_id', { template_id: 'Ready' }],
  ])('is refused for its %s: %j', async (field, fields) => {
    const answer = await refusal({ template_id: template, variables: values, ...fields });
    expect([answer.outcome, answer.body.details[0]?.field]).toEqual(['400 VALIDATION_FAILED', field]);
  });

  it('is refused where variables come without a template, and where nothing would be left to send', async () => {
    expect((await refusal({ text: 'x', variables: {} })).body.details[0]?.field).toBe('variables');
    const id = await make(admin.http, '{{x}}');
    const blank = await refusal({ template_id: id, variables: { x: ' ' } });
    expect([blank.outcome, blank.body.details[0]?.field]).toEqual(['400 VALIDATION_FAILED', 'variables']);
    const long = await make(admin.http, '{{x}}'.repeat(66));
    const tooLong = await refusal({ template_id: long, variables: { x: 'x'.repeat(1_000) } });
    expect(tooLong.body.details[0]?.message).toContain('65536');
  });

  it('of an unknown template is not found, nor of another tenant’s', async () => {
    const stranger = await app.login('TENANT_ADMIN', await app.make.tenant());
    const theirs = await make(stranger.http, 'A secret {{name}}');
    for (const id of [theirs, '01890000-0000-7000-8000-000000000001'])
      expect((await refusal({ template_id: id, variables: values })).outcome).toBe('404 NOT_FOUND');
  });

  it('that is sent by itself has no such field', async () => {
    const { id } = await send(admin.http, { to: TO, text: '{{not a template}}' });
    const shown = await admin.http.get<WireMessage>(`/messages/${id}`);
    expect(shown.body.text).toBe('{{not a template}}');
    expect(Object.keys(shown.body)).not.toContain('template_id');
  });

  it('is accepted once where its process died, though the template was deleted since', async () => {
    const id = await make(admin.http, 'Once {{x}}');
    const headers = { 'idempotency-key': 'send-of-a-dead-process' };
    const body = { to: TO, template_id: id, variables: { x: 1 } };
    const first = await send(admin.http, body, headers);
    await admin.http.delete(`/templates/${id}`);
    // As it is when the process dies between the message's commit and keeping the answer.
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = $1`,
      [headers['idempotency-key']],
    );
    const again = await send(admin.http, body, headers);
    expect(again).toMatchObject({ id: first.id, text: 'Once 1', template_id: id });
    expect((await refusal(body)).outcome).toBe('404 NOT_FOUND');
  });

  it('is one of many that are filled in from one reading', async () => {
    const actor = userActor({ id: admin.userId, tenantId: app.tenantId, role: 'TENANT_ADMIN', loginId: admin.userId });
    const id = await make(admin.http, '{{n}} of {{all}}');
    const loaded = await app.app.get(TemplatesService).forSending(actor, id);
    await admin.http.delete(`/templates/${id}`);
    expect([loaded.id, loaded.variables]).toEqual([id, ['n', 'all']]);
    expect([1, 2].map((n) => loaded.render({ n, all: 2 }))).toEqual(['1 of 2', '2 of 2']);
    expect(() => loaded.render({ n: 1 })).toThrow(AppError);
    await expect(app.app.get(TemplatesService).forSending(actor, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
