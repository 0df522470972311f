import type { Readable } from 'node:stream';
import { newId } from '../../src/common/ids';
import { AuditLogsRepository } from '../../src/modules/audit/audit-logs.repository';
import { AuditService } from '../../src/modules/audit/audit.service';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { NOBODY } from '../../src/platform/audit/audit-record';
import { Metrics } from '../../src/platform/metrics/metrics';
import type { HttpAnswer, HttpClient } from '../support/http-client';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { createSession } from '../support/whatsapp';

interface WireLog {
  id: string;
  user_id: string | null;
  actor: { kind: string; id: string | null };
  action: string;
  resource: string;
  ip: string | null;
  user_agent: string | null;
  metadata: Record<string, unknown>;
  timestamp: string;
  request_id: string | null;
}

interface WireVerdict {
  ok: boolean;
  checked: number;
  pending: number;
  head: { seq: number; digest: string };
  noted_head?: string;
  first_broken?: { kind: string; id?: string; seq?: number };
}

let app: TestApp;
let admin: LoggedIn;
let auditor: LoggedIn;
let manager: LoggedIn;
let agent: LoggedIn;
let audit: AuditLog;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
  auditor = await app.login('AUDITOR');
  manager = await app.login('MANAGER');
  agent = await app.login('AGENT');
  audit = app.app.get(AuditLog);
});

afterAll(() => app.close());

async function logs(http: HttpClient, query = ''): Promise<WireLog[]> {
  await audit.flush();
  const { status, body } = await http.get<WireLog[]>(`/audit/logs${query}`);
  expect(status).toBe(200);
  return body;
}

async function all(http: HttpClient, query: string): Promise<WireLog[]> {
  const found: WireLog[] = [];
  let next: string | undefined = query;
  while (next !== undefined) {
    const page: HttpAnswer<WireLog[]> = await http.get(next);
    found.push(...page.body);
    next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
  }
  return found;
}

describe('what is done to a WhatsApp session', () => {
  it('is recorded with who did it, from where, and sealed within seconds', async () => {
    const { http, userId } = admin;
    const { id } = await createSession(http, 'Recorded shop');
    for (const action of ['stop', 'start', 'restart', 'logout'])
      expect((await http.post(`/waha/sessions/${id}/${action}`)).status).toBe(200);
    expect((await http.delete(`/waha/sessions/${id}`)).status).toBe(204);
    const records = await logs(http, `?resource=session:${id}`);
    const { rows } = await app.owner.query(
      `select metadata, personal::json->>'name' as name from audit_logs where resource = $1 and action = 'SESSION_CREATED'`,
      [`session:${id}`],
    );
    expect(rows).toEqual([{ metadata: {}, name: 'Recorded shop' }]);
    expect(records.map(({ action, metadata }) => [action, metadata])).toEqual([
      ['SESSION_DELETED', {}],
      ['SESSION_UPDATED', { action: 'logout', outcome: 'done' }],
      ['SESSION_UPDATED', { action: 'logout', outcome: 'asked' }],
      ['SESSION_UPDATED', { action: 'restart' }],
      ['SESSION_UPDATED', { action: 'start' }],
      ['SESSION_UPDATED', { action: 'stop' }],
      ['SESSION_CREATED', { name: 'Recorded shop' }],
    ]);
    expect(records[0]).toMatchObject({ user_id: userId, actor: { kind: 'user', id: userId }, ip: '127.0.0.1' });
    expect(records[0]?.request_id).toEqual(expect.any(String));
    const verdict = await eventually(
      async () => {
        const { body } = await auditor.http.get<WireVerdict>('/audit/verify');
        return body.pending === 0 && body.checked >= 6 ? body : null;
      },
      { timeoutMs: 5_000, what: 'the records to be sealed' },
    );
    expect(verdict?.ok).toBe(true);
  });

  it('leaves no record of what was not done but the refusal', async () => {
    const { http } = admin;
    await createSession(http, 'Taken');
    const before = (await logs(http)).length;
    expect((await http.post('/waha/sessions', { name: 'Taken' })).outcome).toBe('409 SESSION_NAME_TAKEN');
    expect((await http.post(`/waha/sessions/${newId()}/start`)).outcome).toBe('404 NOT_FOUND');
    const records = await logs(http);
    expect(records.slice(0, records.length - before).map(({ action }) => action)).toEqual(['ACCESS_DENIED']);
  });
});

describe('GET /audit/logs', () => {
  it('goes through all records once, newest first, with what narrows them', async () => {
    const tenant = await app.login('TENANT_ADMIN', await app.make.tenant());
    for (let i = 0; i < 45; i += 1)
      audit.note(tenant.tenantId, i % 3 ? { kind: 'user', id: tenant.userId } : NOBODY, {
        action: i % 5 ? 'ACCESS_DENIED' : 'LOGOUT',
        resource: `thing:${i}`,
      });
    await audit.flush();
    const found = await all(tenant.http, '/audit/logs?limit=10');
    const things = (list: WireLog[]) =>
      list.map(({ resource }) => resource).filter((name) => name.startsWith('thing:'));
    const expected = Array.from({ length: 45 }, (_, i) => `thing:${44 - i}`);
    expect(things(found)).toEqual(expected);
    const ofUser = await all(tenant.http, `/audit/logs?user_id=${tenant.userId}&action=LOGOUT&limit=3`);
    expect(things(ofUser)).toEqual(['thing:40', 'thing:35', 'thing:25', 'thing:20', 'thing:10', 'thing:5']);
    const [middle] = await all(tenant.http, '/audit/logs?resource=thing:20');
    const at = encodeURIComponent(middle?.timestamp ?? '');
    const older = await all(tenant.http, `/audit/logs?to=${at}`);
    const newer = await all(tenant.http, `/audit/logs?from=${at}`);
    expect(older.length + newer.length).toBe(found.length);
    expect((await tenant.http.get('/audit/logs?count=true&limit=1&action=LOGOUT')).headers.get('x-total-count')).toBe(
      '9',
    );
  });

  it('shows a MANAGER and an AGENT what they did themselves, and an AUDITOR what everybody did', async () => {
    for (const { http } of [manager, agent])
      expect((await http.post('/waha/sessions', { name: 'x' })).status).toBe(403);
    for (const { http, userId } of [manager, agent]) {
      const own = await logs(http);
      expect(own.length).toBeGreaterThan(0);
      expect(new Set(own.map(({ user_id }) => user_id))).toEqual(new Set([userId]));
      expect(await logs(http, `?user_id=${admin.userId}`)).toEqual([]);
    }
    const seen = new Set((await logs(auditor.http, '?limit=100')).map(({ user_id }) => user_id));
    for (const { userId } of [admin, manager, agent]) expect(seen).toContain(userId);
  });

  it('shows nothing of another tenant', async () => {
    const other = await app.login('TENANT_ADMIN', await app.make.tenant());
    expect(await logs(other.http, `?user_id=${admin.userId}`)).toEqual([]);
    expect(await logs(other.http, '?action=SESSION_CREATED')).toEqual([]);
  });

  it.each(['?action=NOTHING', '?from=yesterday', '?user_id=7', '?limit=101', '?colour=red', '?cursor=x', '?resource='])(
    'refuses %s',
    async (query) => {
      expect((await admin.http.get(`/audit/logs${query}`)).outcome).toBe('400 VALIDATION_FAILED');
    },
  );

  it('is for nobody without a credential', async () => {
    for (const path of ['/audit/logs', '/audit/logs/export', '/audit/verify'])
      expect((await app.anybody.get(path)).outcome).toBe('401 AUTHENTICATION_FAILED');
    for (const { http } of [manager, agent]) expect((await http.get('/audit/verify')).outcome).toBe('403 FORBIDDEN');
  });
});

describe('GET /audit/logs/export', () => {
  it('gives all records as NDJSON, the same as the list, and is recorded itself', async () => {
    const tenant = await app.login('TENANT_ADMIN', await app.make.tenant());
    for (let i = 0; i < 900; i += 1) audit.note(tenant.tenantId, NOBODY, { action: 'LOGOUT', resource: `thing:${i}` });
    await audit.flush();
    for (let i = 900; i < 1_700; i += 1)
      audit.note(tenant.tenantId, NOBODY, { action: 'LOGOUT', resource: `thing:${i}` });
    await audit.flush();
    const { status, headers, text } = await tenant.http.get('/audit/logs/export?action=LOGOUT');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as WireLog);
    expect(lines).toEqual(await all(tenant.http, '/audit/logs?action=LOGOUT&limit=100'));
    expect(lines).toHaveLength(1_700);
    const [record] = await logs(tenant.http, '?action=AUDIT_EXPORTED');
    expect(record).toMatchObject({ user_id: tenant.userId, metadata: { format: 'ndjson', filters: ['action'] } });
  });

  it('writes CSV that no spreadsheet takes for a formula', async () => {
    const tenant = await app.login('TENANT_ADMIN', await app.make.tenant());
    const userAgent = '=HYPERLINK("http://evil.example","x"), "quoted"';
    await tenant.http.get(`/users/${newId()}`, { headers: { 'user-agent': userAgent } });
    await tenant.http.get(`/waha/sessions/${newId()}`, { headers: { 'user-agent': userAgent } });
    await audit.flush();
    const { headers, text } = await tenant.http.get('/audit/logs/export?format=csv&action=ACCESS_DENIED');
    expect(headers.get('content-disposition')).toBe('attachment; filename="audit.csv"');
    const [head, line] = text.split('\r\n');
    expect(head).toMatch(/^"id","timestamp","user_id"/);
    expect(line).toContain(`"'=HYPERLINK(""http://evil.example"",""x""), ""quoted"""`);
  });

  it('stops reading when the client goes', async () => {
    const tenant = await app.login('TENANT_ADMIN', await app.make.tenant());
    await app.owner.query(
      `insert into audit_logs (tenant_id, id, actor_kind, action, resource, personal_hash)
        select $1, ('0190' || lpad(to_hex(n), 28, '0'))::uuid, 'nobody', 'LOGOUT', repeat('x', 300), sha256('')
        from generate_series(1, $2::int) n`,
      [tenant.tenantId, 60_000],
    );
    const pages = jest.spyOn(app.app.get(AuditLogsRepository, { strict: false }), 'list');
    const exports = jest.spyOn(app.app.get(AuditService, { strict: false }), 'export');
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${await tokenOf(tenant)}` };
    const answer = await fetch(`${app.url}/audit/logs/export`, { headers, signal: stop.signal });
    await answer.body?.getReader().read();
    stop.abort();
    const stream = exports.mock.results[0]?.value as Readable;
    await eventually(() => stream.destroyed);
    expect(pages.mock.calls.length).toBeLessThan(50);
    jest.restoreAllMocks();
  });
});

async function tokenOf({ email, password, tenantId }: LoggedIn): Promise<string> {
  const answer = await app.anybody.post<{ access_token: string }>('/auth/login', { email, password, tenant: tenantId });
  return answer.body.access_token;
}

describe('GET /audit/verify', () => {
  it('proves that a head noted earlier is still part of the chain, and names what was changed', async () => {
    const tenant = await app.login('AUDITOR', await app.make.tenant());
    audit.note(tenant.tenantId, NOBODY, { action: 'LOGOUT', resource: 'thing:1' });
    await audit.flush();
    const sealed = () =>
      eventually(async () => {
        const { body } = await tenant.http.get<WireVerdict>('/audit/verify');
        return body.pending === 0 && body.head.seq > 0 ? body : null;
      });
    const { head } = (await sealed()) ?? {};
    audit.note(tenant.tenantId, NOBODY, { action: 'LOGOUT', resource: 'thing:2' });
    await audit.flush();
    await eventually(
      async () => (await tenant.http.get<WireVerdict>('/audit/verify')).body.head.seq > (head?.seq ?? 0),
    );
    const noted = await tenant.http.get<WireVerdict>(`/audit/verify?head=${head?.seq}:${head?.digest}`);
    expect(noted.body).toMatchObject({ ok: true, noted_head: 'part' });
    const { rows } = await app.owner.query<{ id: string }>(
      `update audit_logs set resource = 'thing:3' where tenant_id = $1 and resource = 'thing:1' returning id`,
      [tenant.tenantId],
    );
    const { body } = await tenant.http.get<WireVerdict>('/audit/verify');
    expect(body).toMatchObject({ ok: false, first_broken: { kind: 'changed', id: rows[0]?.id } });
  });

  it.each(['?head=1', '?head=x:y', `?head=1:${'A'.repeat(64)}`])('refuses %s', async (query) => {
    expect((await auditor.http.get(`/audit/verify${query}`)).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('health', () => {
  it('shows how far sealing is behind', async () => {
    const { body } = await admin.http.get<{ checks: Record<string, unknown> }>('/health/details');
    expect(JSON.stringify(body)).toContain('"unsealed":');
    const metrics = await app.app.get(Metrics).render('prometheus');
    for (const name of ['unsealed', 'unsealed_oldest_seconds', 'buffered', 'dropped_total', 'sealed_total'])
      expect(metrics).toContain(`switchboard_audit_${name}`);
  });
});
