import type { UserResponse } from '../../src/modules/users/dto/user.response';
import { auditRecords } from '../support/audit-records';
import { startTestApp, type TestApp } from '../support/running-app';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

describe('PATCH /users/me', () => {
  it('changes one’s own name and nothing else', async () => {
    const user = await app.login('AGENT');
    const answer = await user.http.call<UserResponse>('PATCH', '/users/me', { name: 'Myself' });
    expect([answer.status, answer.body.name]).toEqual([200, 'Myself']);
    const headers = { 'if-match': answer.headers.get('etag') ?? '' };
    const rename = (body: object) => user.http.call<UserResponse>('PATCH', '/users/me', body, { headers });
    expect((await rename({ name: 'Another' })).body.name).toBe('Another');
    for (const body of [{ name: 'Late' }, {}]) expect((await rename(body)).outcome).toContain('412 ');
    expect((await user.http.get<UserResponse>('/users/me')).body.name).toBe('Another');
    for (const body of [{ role: 'TENANT_ADMIN' }, { status: 'inactive' }, { email: 'x@team.example' }])
      expect((await user.http.call('PATCH', '/users/me', body)).outcome).toBe('400 VALIDATION_FAILED');
    expect(await auditRecords(app.owner, ['USER_UPDATED'], `user:${user.userId}`)).toHaveLength(2);
  });
});
