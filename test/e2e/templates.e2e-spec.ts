import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import type { WireTemplate } from '../support/templates';

const TEXT = 'Hello {{name}}, {{ order_no }} is ready, {{name}}.';

describe('templates', () => {
  let app: TestApp;
  let manager: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    manager = await app.login('MANAGER');
  });

  afterAll(() => app.close());

  let made = 0;
  const draft = (fields: object = {}) => ({ name: `Template ${++made}`, language: 'en', text: TEXT, ...fields });
  const make = async (fields: object = {}) => {
    const answer = await manager.http.post<WireTemplate>('/templates', draft(fields));
    if (answer.status !== 201) throw new Error(`Making a template gave ${answer.outcome}: ${answer.text}`);
    return answer.body;
  };
  const patch = (id: string, body: object, headers?: Record<string, string>) =>
    manager.http.call<WireTemplate>('PATCH', `/templates/${id}`, body, { headers });
  const recordsOf = async (id: string) => {
    const { rows } = await app.owner.query<{ action: string; metadata: unknown; personal: string }>(
      `select action, metadata, personal from audit_logs where resource = $1 order by id`,
      [`template:${id}`],
    );
    return rows;
  };

  it('are made, shown with their variables and ETag, changed, and deleted, and each change is on record', async () => {
    const answer = await manager.http.post<WireTemplate>('/templates', {
      name: ' Ready ',
      language: 'PT-br',
      text: TEXT,
    });
    expect(answer.status).toBe(201);
    const { id, created_at } = answer.body;
    expect(answer.body).toEqual({
      ...{ id, name: 'Ready', language: 'pt-BR', text: TEXT, media: null, variables: ['name', 'order_no'] },
      ...{ created_at, updated_at: created_at },
    });
    const shown = await manager.http.get<WireTemplate>(`/templates/${id}`);
    expect([shown.body, shown.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')]);

    const changed = await patch(id, { text: 'Bye {{who}}', language: 'de' });
    expect(changed.body).toMatchObject({ name: 'Ready', language: 'de', text: 'Bye {{who}}', variables: ['who'] });
    expect(changed.headers.get('etag')).not.toBe(shown.headers.get('etag'));
    const same = await patch(id, { text: 'Bye {{who}}' });
    expect([same.body, same.headers.get('etag')]).toEqual([changed.body, changed.headers.get('etag')]);
    expect((await patch(id, {})).status).toBe(200);

    expect((await manager.http.delete(`/templates/${id}`)).status).toBe(204);
    for (const gone of [await manager.http.get(`/templates/${id}`), await manager.http.delete(`/templates/${id}`)])
      expect(gone.outcome).toBe('404 NOT_FOUND');
    expect((await patch(id, { name: 'x' })).outcome).toBe('404 NOT_FOUND');
    const records = await recordsOf(id);
    expect(records.map(({ action, metadata }) => [action, metadata])).toEqual([
      ['TEMPLATE_CREATED', { language: 'pt-BR' }],
      ['TEMPLATE_UPDATED', { changed: ['language', 'text'] }],
      ['TEMPLATE_DELETED', { language: 'de' }],
    ]);
    expect(JSON.parse(records[0]?.personal ?? '')).toMatchObject({ name: 'Ready' });
    expect(JSON.stringify(records)).not.toMatch(/Hello|Bye/);
  });

  it('are changed and deleted as they were read, or not at all', async () => {
    const { id } = await make();
    const etag = (await manager.http.get(`/templates/${id}`)).headers.get('etag') ?? '';
    const both = await Promise.all(['a', 'b'].map((text) => patch(id, { text }, { 'if-match': etag })));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
    const stale = { headers: { 'if-match': etag } };
    expect((await manager.http.delete(`/templates/${id}`, stale)).outcome).toBe('412 PRECONDITION_FAILED');
    const fresh = (await manager.http.get(`/templates/${id}`)).headers.get('etag') ?? '';
    expect((await manager.http.delete(`/templates/${id}`, { headers: { 'if-match': fresh } })).status).toBe(204);
  });

  it('have one name in a language, whatever its case: of two at once one is made, and one is told', async () => {
    const at = ['Twin', 'TWIN', 'twin', 'tWiN'];
    const answers = await Promise.all(at.map((name) => manager.http.post('/templates', draft({ name }))));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['201', ...Array(3).fill('409 TEMPLATE_NAME_TAKEN')]);
    const other = await make({ name: 'Twin', language: 'fr' });
    expect((await patch(other.id, { language: 'EN' })).outcome).toBe('409 TEMPLATE_NAME_TAKEN');
    expect((await manager.http.get<WireTemplate>(`/templates/${other.id}`)).body.language).toBe('fr');
    expect((await patch(other.id, { name: 'tWIN' })).body.name).toBe('tWIN');
    expect(await recordsOf(other.id)).toHaveLength(2);
    const free = await Promise.all([make(), make()]);
    const renamed = await Promise.all(free.map(({ id }) => patch(id, { name: 'Wanted by both' })));
    expect(renamed.map(({ outcome }) => outcome).sort()).toEqual(['200', '409 TEMPLATE_NAME_TAKEN']);
    const elsewhere = await app.login('MANAGER', await app.make.tenant());
    expect((await elsewhere.http.post('/templates', draft({ name: 'Twin' }))).status).toBe(201);
  });

  it('of a request that is repeated after its process died are made once', async () => {
    const headers = { 'idempotency-key': 'template-of-a-dead-process' };
    const body = draft({ name: 'Once' });
    const first = await manager.http.post<WireTemplate>('/templates', body, { headers });
    // As it is when the process dies between the template's commit and keeping the answer.
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = $1`,
      [headers['idempotency-key']],
    );
    const again = await manager.http.post<WireTemplate>('/templates', body, { headers });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get('idempotent-replayed')).toBeNull();
    expect(await recordsOf(first.body.id)).toHaveLength(1);
    expect((await manager.http.post('/templates', body)).outcome).toBe('409 TEMPLATE_NAME_TAKEN');
  });

  it('are listed newest first, in pages, narrowed by name, language and a part of name or text', async () => {
    const reader = await app.login('MANAGER', await app.make.tenant());
    const ids: string[] = [];
    for (const [name, language, text] of [
      ['Order ready', 'en', 'Come and get it'],
      ['Order ready', 'pt-BR', 'Venha buscar'],
      ['Discount', 'en', '100% ready_made'],
    ])
      ids.unshift((await reader.http.post<WireTemplate>('/templates', { name, language, text })).body.id);
    const list = async (query: string) => {
      const answer = await reader.http.get<WireTemplate[]>(`/templates?${query}`);
      return answer.body.map(({ id }) => ids.indexOf(id));
    };
    expect(await list('')).toEqual([0, 1, 2]);
    expect(await list('name=ORDER%20ready')).toEqual([1, 2]);
    expect(await list('language=PT-BR')).toEqual([1]);
    expect(await list('name=order%20ready&language=en')).toEqual([2]);
    expect(await list('q=READY')).toEqual([0, 1, 2]);
    expect(await list('q=y_m')).toEqual([0]);
    expect(await list('q=0%25')).toEqual([0]);
    expect(await list('q=%25_%25_')).toEqual([]);
    const page = await reader.http.get<WireTemplate[]>('/templates?limit=2&count=true&q=e');
    expect([page.body.length, page.headers.get('x-total-count')]).toEqual([2, '3']);
    expect(page.headers.get('link')).toContain('q=e');
    expect(await list(`cursor=${ids[1]}`)).toEqual([2]);
  });

  it.each([
    ['name', { name: ' ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['language', { language: 'en_US' }],
    ['language', { language: 'english please' }],
    ['language', { language: 7 }],
    ['text', { text: ' \n ' }],
    ['text', { text: '' }],
    ['text', { text: 'x'.repeat(65_537) }],
    ['text', { text: 'Hi {{first name}}' }],
    ['text', { text: 'Hi {{' }],
    ['text', { text: Array.from({ length: 101 }, (_, i) => `{{v${i}}}`).join('') }],
    ['media.type', { media: { url: 'https://example.com/a.png' } }],
    ['media.type', { media: { type: 'voice', url: 'https://example.com/a.ogg' } }],
    ['media.url', { media: { type: 'image' } }],
    ['media.url', { media: { type: 'image', url: 'http://127.0.0.1/a.png' } }],
    ['media.filename', { media: { type: 'file', url: 'https://example.com/a.pdf', filename: 'a/b.pdf' } }],
    ['media.caption', { media: { type: 'file', url: 'https://example.com/a.pdf', caption: 'x' } }],
    ['media', { media: 'https://example.com/a.png' }],
    ['text', { text: 'x'.repeat(1_025), media: { type: 'image', url: 'https://example.com/a.png' } }],
  ])('are refused for their %s: %j', async (field, fields) => {
    const whole = await manager.http.post<{ details: { field: string }[] }>('/templates', draft(fields));
    expect([whole.outcome, whole.body.details.map((detail) => detail.field)]).toEqual([
      '400 VALIDATION_FAILED',
      [field],
    ]);
    const { id } = await make();
    expect((await patch(id, fields)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('say where the malformed variable of a text is', async () => {
    const answer = await manager.http.post<{ details: { message: string }[] }>(
      '/templates',
      draft({ text: '👍 {{a b}}' }),
    );
    expect(answer.body.details[0]?.message).toContain('at character 3');
  });

  it('may be as long as a message, and have a name of any letters', async () => {
    const text = '{{a}}' + '👍'.repeat(65_531);
    expect((await make({ name: '❤️'.repeat(100), text })).text).toBe(text);
  });

  it('are read by every role, and written by administrators and managers', async () => {
    const { id } = await make();
    for (const role of ['AGENT', 'AUDITOR'] as const) {
      const { http } = await app.login(role);
      expect((await http.get(`/templates/${id}`)).status).toBe(200);
      expect((await http.get('/templates')).status).toBe(200);
      expect((await http.post('/templates', draft())).outcome).toBe('403 FORBIDDEN');
      expect((await http.call('PATCH', `/templates/${id}`, { text: 'x' })).outcome).toBe('403 FORBIDDEN');
      expect((await http.delete(`/templates/${id}`)).outcome).toBe('403 FORBIDDEN');
    }
    const admin = await app.login('TENANT_ADMIN');
    expect((await admin.http.delete(`/templates/${id}`)).status).toBe(204);
  });
});
