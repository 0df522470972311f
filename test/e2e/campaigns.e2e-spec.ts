import { createHash } from 'node:crypto';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { becomes, createSession, sendsOf, workingSession, type WireSession } from '../support/whatsapp';
import { eventually } from '../support/wait';
import { bulk, campaignIs, ledger, type WireBulk, phones, stream } from './campaigns.harness';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

const business = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());
const to = (numbers: string[]) => numbers.map((number) => ({ to: number }));
const chatsOf = async (session: WireSession) => (await sendsOf(app, session)).map(({ chatId }) => chatId);
const asChats = (numbers: string[]) => numbers.map((number) => `${number}@c.us`);

describe('a list that is streamed with an Idempotency-Key', () => {
  const post = (http: LoggedIn['http'], text: string, headers: Record<string, string>) =>
    http.post<WireBulk>('/messages/bulk?text=x', text, {
      headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'list', ...headers },
    });
  const digest = (text: string) => ({
    'content-digest': `sha-256=:${createHash('sha256').update(text).digest('base64')}:`,
  });

  it('is told from another by its digest, which it has to bring', async () => {
    const { http } = await business();
    await createSession(http);
    const [one, other] = ['{"to":"5511800000001"}', '{"to":"5511800000002"}'];
    expect((await post(http, one, {})).outcome).toBe('400 VALIDATION_FAILED');
    expect((await post(http, one, digest(one))).status).toBe(202);
    expect((await post(http, one, digest(one))).headers.get('idempotent-replayed')).toBe('true');
    expect((await post(http, other, digest(other))).outcome).toBe('422 IDEMPOTENCY_KEY_REUSED');
  });

  it('is sent again at once where it broke off, and then accepted', async () => {
    const { http } = await business();
    await createSession(http);
    const lines = phones(30).map((number) => JSON.stringify({ to: number }));
    const broken = [...lines, 'x'.repeat(70_000)].join('\n');
    expect((await post(http, broken, digest('the same'))).outcome).toBe('400 VALIDATION_FAILED');
    const again = await eventually(
      async () => {
        const answer = await post(http, lines.join('\n'), digest('the same'));
        expect(['202', '503 SERVICE_UNAVAILABLE']).toContain(answer.outcome);
        if (answer.status !== 202) throw new Error(answer.outcome);
        return answer;
      },
      { what: 'the list to be accepted', everyMs: 100 },
    );
    expect(again.body).toMatchObject({ accepted: 30, folded: 0 });
  });
});

describe('POST /messages/bulk', () => {
  it('writes to each once, fills in what is theirs, and tells of those who cannot be written to', async () => {
    const { http } = await business();
    const session = await workingSession(app, http);
    const [ada = '', bob = '', eve = ''] = phones(3);
    const recipients = [
      { to: ada, variables: { name: 'Ada' } },
      { to: `+${bob}`, variables: { name: 'Bob', spare: 1 } },
      { to: ada, variables: { name: 'Ada again' } },
      { to: 'nobody', variables: { name: 'x' } },
      { to: eve },
      { to: phones(1, 50)[0], variables: { name: ['x'] } },
      'x',
      { to: eve, name: 'Eve' },
    ];
    const answer = await bulk(http, { name: 'Spring', message: { text: 'Hello {{name}}!' }, recipients });
    expect([answer.status, answer.body]).toEqual([
      202,
      {
        campaign_id: expect.any(String),
        accepted: 2,
        folded: 1,
        rejected_count: 5,
        rejected: [
          { index: 3, to: 'nobody', code: 'VALIDATION_FAILED', message: expect.stringContaining('phone number') },
          { index: 4, to: eve, code: 'VALIDATION_FAILED', message: expect.stringContaining('variables.name') },
          { index: 5, to: phones(1, 50)[0], code: 'VALIDATION_FAILED', message: expect.any(String) },
          { index: 6, to: '', code: 'VALIDATION_FAILED', message: expect.any(String) },
          { index: 7, to: eve, code: 'VALIDATION_FAILED', message: expect.any(String) },
        ],
      },
    ]);
    const { campaign_id: id } = answer.body;
    const done = await campaignIs(http, id, 'finished');
    expect(done).toMatchObject({ name: 'Spring', accepted: 2, folded: 1, rejected: 5, session_ids: [session.id] });
    const sends = await sendsOf(app, session);
    expect(sends.map(({ chatId, text }) => [chatId, text])).toEqual([
      [`${ada}@c.us`, 'Hello Ada!'],
      [`${bob}@c.us`, 'Hello Bob!'],
    ]);
    const rows = await ledger(http, id);
    expect(rows.map(({ chat, campaign_id }) => [chat, campaign_id]).sort()).toEqual(
      asChats([ada, bob]).map((chat) => [chat, id]),
    );
    await becomes(http, rows[0]?.id ?? '', 'read');
    const { rows: records } = await app.owner.query(
      `select action, metadata from audit_logs where resource = $1 order by at`,
      [`campaign:${id}`],
    );
    expect(records).toEqual([{ action: 'CAMPAIGN_CREATED', metadata: { accepted: 2 } }]);
  });

  it('takes lines and tables of any length, from several sessions in turn', async () => {
    const { http } = await business();
    const sessions = [await createSession(http, 'One'), await createSession(http, 'Two')];
    const ids = sessions.map(({ id }) => id).join(',');
    const lines = phones(1_200).map((number) => JSON.stringify({ to: number, variables: { n: number } }));
    const text = 'Number {{n}}';
    const streamed = await stream(
      http,
      'application/x-ndjson',
      [...lines, '{"to":', '{"to":"5511800009999","variables":{"n":"\\u0000"}}', ''].join('\r\n'),
      {
        session_ids: ids,
        text,
      },
    );
    expect([streamed.status, streamed.body]).toMatchObject([202, { accepted: 1_200, folded: 0, rejected_count: 2 }]);
    const table = ['﻿to, n', ...phones(30, 5_000).map((number) => `"+${number}",${number}`)].join('\n');
    const tabled = await stream(http, 'text/csv; charset=utf-8', table, { session_ids: ids, text, name: 'Table' });
    expect([tabled.status, tabled.body]).toMatchObject([202, { accepted: 30, rejected_count: 0 }]);
    const { rows } = await app.owner.query(
      `select session_id, count(*)::int as n from messages where campaign_id = $1 group by 1`,
      [streamed.body.campaign_id],
    );
    expect(rows.map(({ n }: { n: number }) => n)).toEqual([600, 600]);
    const [message] = await ledger(http, tabled.body.campaign_id);
    expect(message?.text).toBe(`Number ${message?.chat.split('@')[0]}`);
  });

  it('takes any message beside a streamed list, as JSON in the query', async () => {
    const { http } = await business();
    await createSession(http);
    const lines = phones(2).map((number) => JSON.stringify({ to: number, variables: { n: number } }));
    const ask = (message: unknown, more: Record<string, string> = {}) =>
      stream(http, 'application/x-ndjson', lines.join('\n'), {
        message: typeof message === 'string' ? message : JSON.stringify(message),
        ...more,
      });
    const place = { location: { latitude: -23.5, longitude: -46.6, title: 'Our shop' }, metadata: { of: 'spring' } };
    const placed = await ask(place);
    expect(placed.body).toMatchObject({ accepted: 2, rejected_count: 0 });
    const [message] = await ledger(http, placed.body.campaign_id);
    expect(message).toMatchObject({ type: 'location', location: place.location });
    const captioned = await ask({ type: 'image', media: { url: 'https://shop.example/x.jpg', caption: 'For {{n}}' } });
    expect(captioned.body).toMatchObject({ accepted: 2 });
    const details = async (message: unknown, more = {}) => {
      const { outcome, body } = await ask(message, more);
      return [outcome, (body as unknown as { details: { field: string }[] }).details.map(({ field }) => field)];
    };
    for (const bad of ['{', '[]', '1', 'null', '"x"', '{"text":"\\u0000"}', '{"text":"x","__proto__":{"a":1}}'])
      expect(await details(bad)).toEqual(['400 VALIDATION_FAILED', ['message']]);
    expect(await details({ text: 'x', to: '5511800000001' })).toEqual(['400 VALIDATION_FAILED', ['message.to']]);
    expect(await details({ location: { latitude: 91, longitude: 0 } })).toEqual([
      '400 VALIDATION_FAILED',
      ['message.location.latitude'],
    ]);
    expect(await details({ text: 'x' }, { text: 'y' })).toEqual(['400 VALIDATION_FAILED', ['message']]);
  });

  it('rehearses: the same answer with an estimate, and nothing is sent', async () => {
    const { http } = await business();
    const session = await workingSession(app, http);
    await http.call('PATCH', `/waha/sessions/${session.id}`, {
      pace: { per_minute: 60, daily_cap: 1_000, first_contacts_per_day: 10 },
    });
    const recipients = to([...phones(25), ...phones(5), 'x']);
    const answer = await bulk(http, { message: { text: 'Hello' }, recipients, dry_run: true });
    expect(answer.body).toMatchObject({ campaign_id: null, accepted: 25, folded: 5, rejected_count: 1 });
    // Ten new contacts a day: two whole days, and five seconds of the third.
    expect(answer.body.estimate?.seconds).toBe(2 * 86_400 + 5);
    expect((await http.get('/campaigns')).body).toEqual([]);
    const { rows } = await app.owner.query('select 1 from messages where session_id = $1', [session.id]);
    expect(rows).toEqual([]);
  });

  it('goes on with the same campaign where its answer was lost, and writes to nobody twice', async () => {
    const { http, tenantId } = await business();
    const session = await workingSession(app, http);
    const body = { message: { text: 'Once' }, recipients: to(phones(20)) };
    const first = await bulk(http, body, { 'idempotency-key': 'spring' });
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 second', response_status = null,
        response_body = null where tenant_id = $1`,
      [tenantId],
    );
    const again = await bulk(http, body, { 'idempotency-key': 'spring' });
    expect([again.status, again.body]).toEqual([202, first.body]);
    await campaignIs(http, first.body.campaign_id, 'finished');
    expect((await chatsOf(session)).sort()).toEqual(asChats(phones(20)));
  });

  it('accepts nothing of a list that breaks off, and leaves nothing of it', async () => {
    const { http, tenantId } = await business();
    const session = await workingSession(app, http);
    const lines = phones(700).map((number) => JSON.stringify({ to: number }));
    const broken = [...lines, `{"to":"${'9'.repeat(70_000)}"}`].join('\n');
    const answer = await stream(http, 'application/x-ndjson', broken, { text: 'Hello' });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    const table = 'to,name\n"5511800000001,x';
    expect((await stream(http, 'text/csv', table, { text: 'Hello' })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await stream(http, 'text/csv', 'phone\n1', { text: 'Hello' })).outcome).toBe('400 VALIDATION_FAILED');
    const latin = Buffer.from('to,name\n5511800000001,M\xfcller', 'latin1') as unknown as string;
    expect((await stream(http, 'text/csv', latin, { text: 'Hello {{name}}' })).outcome).toBe('400 VALIDATION_FAILED');
    await eventually(
      async () =>
        (await app.owner.query('select 1 from campaigns where tenant_id = $1', [tenantId])).rowCount === 0 &&
        (await app.owner.query('select 1 from messages where tenant_id = $1', [tenantId])).rowCount === 0,
      { what: 'it to be forgotten' },
    );
    expect(await chatsOf(session)).toEqual([]);
    expect((await http.get('/campaigns')).body).toEqual([]);
  });

  it.each<[string, object]>([
    ['without recipients', { message: { text: 'x' } }],
    ['to nobody', { message: { text: 'x' }, recipients: [] }],
    ['to nobody who could be written to', { message: { text: 'x' }, recipients: [{ to: 'x' }] }],
    ['without a message', { recipients: [{ to: '5511800000001' }] }],
    ['with a malformed variable', { message: { text: '{{' }, recipients: [{ to: '5511800000001' }] }],
    ['with an unknown field', { message: { text: 'x', to: '1' }, recipients: [{ to: '5511800000001' }] }],
    ['at a time long gone by', { message: { text: 'x', expires_at: '2020-01-01T00:00:00Z' }, recipients: ['x'] }],
    ['faster than any', { message: { text: 'x' }, recipients: ['x'], pace: { per_minute: 0 } }],
  ])('is refused %s', async (_what, body) => {
    const { http } = await business();
    await createSession(http);
    expect((await bulk(http, body)).outcome).toBe('400 VALIDATION_FAILED');
    expect((await http.get('/campaigns')).body).toEqual([]);
  });

  it('is refused with a session or template that there is not, or too many recipients in the body', async () => {
    const [{ http }, other] = [await business(), await business()];
    const foreign = await createSession(other.http);
    await createSession(http);
    const recipients = to(phones(2));
    const message = { text: 'x' };
    expect((await bulk(http, { message, recipients, session_id: foreign.id })).outcome).toBe('404 NOT_FOUND');
    expect((await bulk(http, { template_id: foreign.id, recipients })).outcome).toBe('404 NOT_FOUND');
    expect((await bulk(http, { message, recipients: to(phones(10_001)) })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await stream(http, 'text/plain', 'x', { text: 'x' })).outcome).toBe('415 UNSUPPORTED_MEDIA_TYPE');
    expect((await http.post('/messages/send', 'to\n1', { headers: { 'content-type': 'text/csv' } })).outcome).toBe(
      '415 UNSUPPORTED_MEDIA_TYPE',
    );
  });

  it('takes in as many as the day of the tenant has room for, and says which not', async () => {
    const { http, tenantId } = await business();
    await app.owner.query(`update tenants set quotas = '{"messages_per_day": 5}' where id = $1`, [tenantId]);
    await workingSession(app, http);
    const body = (from: number) => ({
      message: { text: 'x' },
      recipients: to([...phones(4, from), ...phones(4, from)]),
    });
    const first = await bulk(http, body(0));
    expect(first.body).toMatchObject({ accepted: 4, folded: 4, rejected_count: 0 });
    const second = await bulk(http, body(100));
    expect(second.body).toMatchObject({ accepted: 1, folded: 1, rejected_count: 6 });
    expect(second.body.rejected[0]).toMatchObject({ index: 1, code: 'QUOTA_EXCEEDED' });
    expect((await bulk(http, body(200))).outcome).toBe('429 QUOTA_EXCEEDED');
  });

  it('asks nothing of the day for those who are in since a run that died', async () => {
    const { http, tenantId } = await business();
    await app.owner.query(`update tenants set quotas = '{"messages_per_day": 5}' where id = $1`, [tenantId]);
    await createSession(http);
    const body = { message: { text: 'x' }, recipients: to(phones(5)) };
    const first = await bulk(http, body, { 'idempotency-key': 'day' });
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 second' where tenant_id = $1`,
      [tenantId],
    );
    await app.owner.query(
      `update campaigns set status = 'accepting', accepting_until = now() + interval '1 minute' where tenant_id = $1`,
      [tenantId],
    );
    const again = await bulk(http, body, { 'idempotency-key': 'day' });
    expect([again.status, again.body]).toEqual([202, first.body]);
  });
});
