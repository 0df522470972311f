import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp({ simulator: { version: '2026.6.0', tier: 'CORE' } });
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

describe('a Core that knows one session only', () => {
  it('is refused, with what is wrong with it in the answer and on record', async () => {
    const answer = await admin.http.post<{ error: string }>('/waha/sessions', { name: 'Shop' });
    expect(answer.outcome).toBe('503 WAHA_UNAVAILABLE');
    expect(answer.body.error).toContain('WAHA 2026.6.0 is older than 2026.6.1');
    await eventually(async () => {
      const { rows } = await app.owner.query('select status, version, status_reason from waha_servers');
      expect(rows).toEqual([
        { status: 'refused', version: '2026.6.0', status_reason: expect.stringContaining('older than 2026.6.1') },
      ]);
    });
    expect((await app.owner.query('select from sessions')).rowCount).toBe(0);
  });

  it('is given no session by the reconciler either', async () => {
    const { id } = await app.make.session(app.tenantId, { status: 'STOPPED' });
    await app.owner.query(
      `update sessions set desired = 'running', server_id = (select id from waha_servers limit 1) where id = $1`,
      [id],
    );
    const failures = await app.app.get(SessionReconciler).reconcile();
    expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('older than 2026.6.1')]);
    const { body } = await app.simulator.get('/api/sessions?all=true');
    expect(body).toEqual([]);
  });
});
