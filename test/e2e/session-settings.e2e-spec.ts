import { DEFAULT_PACE } from '../../src/common/pace';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { becomes, createSession, send, type WireSession, workingSession } from '../support/whatsapp';

describe('the settings of a session', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
  });

  afterAll(() => app.close());

  const patch = (id: string, body: object, headers?: Record<string, string>) =>
    admin.http.call<WireSession>('PATCH', `/waha/sessions/${id}`, body, { headers });
  const recordsOf = async (id: string) => {
    const { rows } = await app.owner.query<{ metadata: unknown }>(
      `select metadata from audit_logs where action = 'SESSION_UPDATED' and resource = $1 order by id`,
      [`session:${id}`],
    );
    return rows.map(({ metadata }) => metadata);
  };

  it('are changed as far as they are named, with a record of what changed; no change leaves none', async () => {
    const session = await createSession(admin.http, 'First');
    const changed = await patch(session.id, { name: 'Renamed', pace: { per_minute: 30 }, metadata: { shop: 7 } });
    expect(changed.body).toMatchObject({
      ...{ name: 'Renamed', metadata: { shop: 7 }, waha_name: session.waha_name },
      pace: { ...session.pace, per_minute: 30 },
    });
    const { name, metadata, pace } = changed.body;
    const shown = await admin.http.get<WireSession>(`/waha/sessions/${session.id}`);
    expect(shown.body).toMatchObject({ name, metadata, pace });
    const same = await patch(session.id, { name: 'Renamed', pace: { per_minute: 30 } });
    expect([same.status, same.headers.get('etag')]).toEqual([200, changed.headers.get('etag')]);
    expect((await patch(session.id, {})).status).toBe(200);
    expect(await recordsOf(session.id)).toEqual([{ changed: ['name', 'metadata', 'per_minute'] }]);
  });

  it('hold caps, a ramp and quiet hours, part by part', async () => {
    const { id, pace, quiet_hours, today } = await createSession(admin.http, 'Careful');
    expect([quiet_hours, today]).toEqual([null, { sent: 0, first_contacts: 0 }]);
    const quiet = { from: '21:30', to: '08:00' };
    const changed = await patch(id, { pace: { daily_cap: 200, warmup: { enabled: true } }, quiet_hours: quiet });
    const ramp = { enabled: true, days: 14, start_per_day: 20 };
    expect(changed.body).toMatchObject({ pace: { ...pace, daily_cap: 200, warmup: ramp }, quiet_hours: quiet });
    const again = await patch(id, { pace: { warmup: { days: 7 } }, quiet_hours: null });
    expect(again.body).toMatchObject({ pace: { daily_cap: 200, warmup: { ...ramp, days: 7 } }, quiet_hours: null });
    const body = { name: 'Careful twin', pace: { warmup: { enabled: true } }, quiet_hours: quiet };
    const made = await admin.http.post<WireSession>('/waha/sessions', body);
    expect(made.body).toMatchObject({ pace: { ...DEFAULT_PACE, warmup: ramp }, quiet_hours: quiet });
    expect(await recordsOf(id)).toEqual([
      { changed: ['daily_cap', 'warmup', 'quiet_hours'] },
      { changed: ['warmup', 'quiet_hours'] },
    ]);
  });

  it('are changed by one of two who have read the same', async () => {
    const { id } = await createSession(admin.http, 'Contested');
    const etag = (await admin.http.get(`/waha/sessions/${id}`)).headers.get('etag') ?? '';
    const answers = await Promise.all(
      ['a', 'b'].map((name) => patch(id, { name: `Contested ${name}` }, { 'if-match': etag })),
    );
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
  });

  it('take no name that another session has, whatever its case, and leave everything as it was then', async () => {
    const [one, two] = [await createSession(admin.http, 'Taken'), await createSession(admin.http, 'Free')];
    const answer = await patch(two.id, { name: 'TAKEN', metadata: { lost: true } });
    expect(answer.outcome).toBe('409 SESSION_NAME_TAKEN');
    expect((await admin.http.get<WireSession>(`/waha/sessions/${two.id}`)).body).toMatchObject({
      name: 'Free',
      metadata: {},
    });
    expect((await patch(one.id, { name: 'tAKEN' })).body.name).toBe('tAKEN');
  });

  it.each([
    [{ pace: { per_minute: 0 } }],
    [{ pace: { burst: 1_001 } }],
    [{ pace: { jitter_ms: -1 } }],
    [{ pace: { daily_cap: 0 } }],
    [{ pace: { first_contacts_per_day: 1.5 } }],
    [{ pace: { warmup: { days: 0 } } }],
    [{ pace: { warmup: true } }],
    [{ quiet_hours: { from: '22:00' } }],
    [{ quiet_hours: { from: '22:00', to: '24:00' } }],
    [{ pace: null }],
    [{ name: '' }],
    [{ status: 'WORKING' }],
    [{ metadata: { text: 'x'.repeat(5_000) } }],
  ])('are refused whole: %j', async (body) => {
    const { id } = await createSession(admin.http, `Refused ${JSON.stringify(body).slice(0, 40)}`);
    expect((await patch(id, body)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('are those of the tenant in a new session, as far as it names none', async () => {
    const other = await app.login('TENANT_ADMIN', await app.make.tenant());
    await other.http.call('PATCH', '/tenants/current', { default_pace: { per_minute: 7, jitter_ms: 0 } });
    const made = await other.http.post<WireSession>('/waha/sessions', { name: 'x', pace: { burst: 2 } });
    expect(made.body.pace).toEqual({ ...DEFAULT_PACE, per_minute: 7, burst: 2, jitter_ms: 0 });
  });

  it('hold at once for what waits: nobody sits out the turn of a slower pace', async () => {
    const session = await workingSession(app, admin.http, 'Slow');
    await patch(session.id, { pace: { per_minute: 1, burst: 1 } });
    const texts = ['1', '2', '3'];
    const sent = await Promise.all(
      texts.map((text) => send(admin.http, { session_id: session.id, to: `551188886000${text}`, text })),
    );
    await Promise.race(sent.map(({ id }) => becomes(admin.http, id, 'sent', 'delivered', 'read')));
    await patch(session.id, { pace: { per_minute: 60_000, burst: 10 } });
    for (const { id } of sent) await becomes(admin.http, id, 'read'); // a minute each under the old pace
  });

  it('of a deleted session, or of nobody’s, are not found', async () => {
    const { id } = await createSession(admin.http, 'Gone');
    await admin.http.delete(`/waha/sessions/${id}`);
    expect((await patch(id, { name: 'x' })).outcome).toBe('404 NOT_FOUND');
  });
});
