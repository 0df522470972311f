import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { createSession, reaches, send, workingSession, type WireSession } from '../support/whatsapp';
import type { HttpAnswer } from '../support/http-client';

interface Refused {
  details?: { field: string; message: string }[];
}

const TO = '5511888880000@c.us';

describe('what the routes take', () => {
  let app: TestApp;
  let admin: LoggedIn;
  let session: WireSession;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    session = await workingSession(app, admin.http, 'Main shop');
  });

  afterAll(() => app.close());

  function expectFault(answer: HttpAnswer<Refused>, field: string, message?: string): void {
    expect([answer.outcome, answer.body.details]).toEqual([
      '400 VALIDATION_FAILED',
      [{ field, message: message ?? expect.any(String) }],
    ]);
  }

  it.each([
    [{ pace: { per_minute: null } }, 'pace.per_minute'],
    [{ pace: null }, 'pace'],
    [{ pace: [{ per_minute: 1 }] }, 'pace'],
    [{ metadata: null }, 'metadata'],
    [{ name: '   ' }, 'name'],
    [{ name: '\u200b\u200d' }, 'name'],
    [{ name: 'a\u0007b' }, 'name'],
    [{ name: 7 }, 'name'],
  ])('of a session is not %j', async (fields, field) => {
    expectFault(await admin.http.post('/waha/sessions', { name: 'x', ...fields }), field);
  });

  it('of a session is a name by which people can tell it from the others', async () => {
    const taken = await Promise.all(
      [' Main shop ', 'MAIN SHOP', 'main shop\n'].map((name) => admin.http.post('/waha/sessions', { name })),
    );
    expect(taken.map(({ outcome }) => outcome)).toEqual(Array(3).fill('409 SESSION_NAME_TAKEN'));
    expect((await createSession(admin.http, ' Família 👩‍👩‍👧 ')).name).toBe('Família 👩‍👩‍👧');
    const decomposed = await admin.http.post('/waha/sessions', { name: 'FAMÍLIA 👩‍👩‍👧' });
    expect(decomposed.outcome).toBe('409 SESSION_NAME_TAKEN');
  });

  it.each([
    [{ session_id: null }, 'session_id', 'session_id must be a UUID'],
    [{ metadata: null }, 'metadata', 'metadata must be an object'],
    [{ link_preview: null }, 'link_preview', 'link_preview must be a boolean value'],
    [{ to: undefined }, 'to', 'to is required'],
    [{ to: 5511888880000 }, 'to', 'to must be a string'],
    [{ text: ' \n\t\u00a0' }, 'text', 'text must not be blank'],
    [{ toString: 1 }, 'toString', 'This field is not known here'],
  ])('of a message is not %j', async (fields, field, message) => {
    expectFault(await admin.http.post('/messages/send', { to: TO, text: 'x', ...fields }), field, message);
  });

  it('of a message is no number with an extension', async () => {
    const answer = await admin.http.post('/messages/send', { to: '+442079460958;ext=5', text: 'x' });
    expect(answer.status).toBe(400);
  });

  it('of metadata is kept, whatever its keys are called', async () => {
    const metadata = JSON.parse('{"valueOf":1,"a":{"toString":"kept?","constructor":{"x":1}}}') as object;
    const accepted = await send(admin.http, { session_id: session.id, to: TO, text: 'x', metadata });
    expect(accepted).toMatchObject({ metadata });
    const { body } = await admin.http.get<{ metadata: object }>(`/messages/${accepted.id}`);
    expect(JSON.stringify(body.metadata)).toContain('"constructor":{"x":1}');
    const { text } = await admin.http.post('/waha/sessions', { name: 'With metadata', metadata });
    expect(JSON.parse(text)).toMatchObject({ metadata });
  });

  it('of an id is its spelling in either case, given back in one', async () => {
    const accepted = await send(admin.http, { session_id: session.id.toUpperCase(), to: TO, text: 'x' });
    expect(accepted).toMatchObject({ session_id: session.id });
    const list = await admin.http.get<object[]>(`/messages?session_id=${session.id.toUpperCase()}&limit=1`);
    expect(list.body).toHaveLength(1);
  });

  it.each([
    'from=-271821-04-20T00:00:00Z',
    'from=0',
    'from=yesterday',
    'from=2026-01-01',
    'from=2026-02-30T00:00:00Z',
    'to=99999-01-01T00:00:00Z',
  ])('of a list is not %s', async (query) => {
    const field = query.split('=', 1)[0] ?? '';
    const message = `${field} must be a time of RFC 3339, such as 2026-01-31T08:30:00Z`;
    expectFault(await admin.http.get(`/messages?${query}`), field, message);
  });

  it('of a list is any time that has a place in the calendar', async () => {
    const query = 'from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59.999Z&limit=1';
    expect((await admin.http.get<object[]>(`/messages?${query}`)).body).toHaveLength(1);
    expect((await admin.http.get(`/messages?from=${encodeURIComponent('2999-01-01T00:00:00+02:00')}`)).body).toEqual(
      [],
    );
  });

  it.each([
    ['POST', '/waha/sessions/:id/start', { foo: 1 }, 'foo'],
    ['POST', '/messages/send?x=1', { to: TO, text: 'x' }, 'x'],
    ['GET', '/auth/profile?x=1', undefined, 'x'],
    ['GET', '/messages/:id?x=1', undefined, 'x'],
    ['GET', '/messages?__proto__=1', undefined, '__proto__'],
    ['GET', '/messages?constructor=1', undefined, 'constructor'],
  ] as const)('of %s %s is nothing that it does not ask for', async (method, path, body, field) => {
    expectFault(
      await admin.http.call(method, path.replace(':id', session.id), body),
      field,
      'This field is not known here',
    );
  });

  it('of a session without a body is an empty one as well', async () => {
    expect((await admin.http.post(`/waha/sessions/${session.id}/start`, {})).status).toBe(200);
  });

  it('of the QR code is the type that the client wants most', async () => {
    const { id } = await createSession(admin.http, 'To scan');
    await reaches(admin.http, id, 'SCAN_QR_CODE');
    const typeFor = async (accept: string) => {
      const answer = await admin.http.get(`/waha/sessions/${id}/qr`, { headers: { accept } });
      return answer.headers.get('content-type')?.split(';')[0];
    };
    expect(await typeFor('image/*')).toBe('image/png');
    expect(await typeFor('image/png;q=0, */*')).toBe('application/json');
    expect(await typeFor('*/*')).toBe('application/json');
  });

  it('of the simulator is JSON under any content type, and chat ids that can be one', async () => {
    const path = `/simulator/sessions/${session.waha_name}/inbound`;
    const body = JSON.stringify({ from: '5511777770000', text: 'typed by hand' });
    for (const type of ['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded']) {
      const answer = await app.simulator.post(path, body, { headers: { 'content-type': type } });
      expect(answer.status).toBe(201);
    }
    for (const from of ['nobody', '+44 20', '12@example.com', '', '5511777770000@c.us@c.us']) {
      const answer = await app.simulator.post<{ message: string[] }>(path, { from, text: 'x' });
      expect([answer.status, answer.body.message]).toEqual([400, [expect.stringMatching(/^from /)]]);
    }
  });
});
