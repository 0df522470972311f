import { PLATFORM_TENANT_ID } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

interface WireLog {
  user_id: string | null;
  resource: string;
  metadata: Record<string, unknown>;
}

let app: TestApp;
let admin: LoggedIn;
let auditor: LoggedIn;
let agent: LoggedIn;
let audit: AuditLog;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
  auditor = await app.login('AUDITOR');
  agent = await app.login('AGENT');
  audit = app.app.get(AuditLog);
});

afterAll(() => app.close());

async function refusals(limit: number): Promise<WireLog[]> {
  await audit.flush();
  return (await auditor.http.get<WireLog[]>(`/audit/logs?action=ACCESS_DENIED&limit=${limit}`)).body;
}

/** Records of the platform's own chain, newest first. */
const ofThePlatform = async (): Promise<Record<string, unknown>[]> => {
  await audit.flush();
  const { rows } = await app.owner.query<Record<string, unknown>>(
    'select actor_kind, actor_id, action, resource, metadata, personal from audit_logs where tenant_id = $1 order by id desc',
    [PLATFORM_TENANT_ID],
  );
  return rows;
};

describe('refusals', () => {
  it('are recorded with route and ids, in the tenant of the caller, and nothing else of the address', async () => {
    const id = newId();
    await admin.http.get(`/waha/sessions/${id}?`);
    await admin.http.get('/no/such/route');
    await agent.http.post(`/waha/sessions/${id}/start`);
    await admin.http.get('/users/me', { headers: { 'x-tenant-id': 'somebody-else' } });
    const records = await refusals(3);
    expect(records.map(({ user_id, resource, metadata }) => ({ user_id, resource, metadata }))).toEqual([
      { user_id: admin.userId, resource: 'GET /users/me', metadata: { status: 404, code: 'TENANT_NOT_FOUND' } },
      {
        user_id: agent.userId,
        resource: 'POST /waha/sessions/:id/start',
        metadata: { status: 403, code: 'FORBIDDEN', ids: { id } },
      },
      {
        user_id: admin.userId,
        resource: 'GET /waha/sessions/:id',
        metadata: { status: 404, code: 'NOT_FOUND', ids: { id } },
      },
    ]);
  });

  it('of nobody go to the chain of the platform, without what the address held', async () => {
    const secret = 'marked-secret-in-the-address';
    await app.anybody.get(`/waha/sessions/${secret}?token=${secret}`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    const [record] = await ofThePlatform();
    expect(record).toMatchObject({
      actor_kind: 'nobody',
      action: 'ACCESS_DENIED',
      resource: 'GET /waha/sessions/:id',
      metadata: { status: 401, code: 'AUTHENTICATION_FAILED' },
    });
    expect(JSON.stringify(record)).not.toContain(secret);
  });

  it('of logins are not recorded a second time', async () => {
    const before = (await ofThePlatform()).filter(({ action }) => action === 'ACCESS_DENIED').length;
    for (const path of ['/auth/login', '/users/login', '/api/auth/login'])
      expect((await app.anybody.post(path, { email: 'nobody@acme.example', password: 'wrong password' })).status).toBe(
        401,
      );
    const after = (await ofThePlatform()).filter(({ action }) => action === 'ACCESS_DENIED').length;
    expect(after).toBe(before);
  });
});
