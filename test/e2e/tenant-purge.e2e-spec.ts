import { Readable } from 'node:stream';
import { ChainVerifier } from '../../src/modules/audit/verifier.service';
import type { FreshApiKeyResponse } from '../../src/modules/api-keys/dto/api-key.response';
import type { DeletedTenantResponse } from '../../src/modules/tenants/dto/deleted-tenant.response';
import { TenantPurgeJob } from '../../src/modules/tenants/tenant-purge.job';
import { TenantPurgesRepository } from '../../src/modules/tenants/tenant-purges.repository';
import { TenantPurgesService } from '../../src/modules/tenants/tenant-purges.service';
import { AuditLog } from '../../src/platform/audit/audit-log';
import type { Actor } from '../../src/common/actor';
import { PLATFORM_ADMIN_ID, PLATFORM_TENANT_ID } from '../../src/common/actor';
import { BackgroundStorage, newStorageKey, ObjectStorage } from '../../src/platform/storage/object-storage';
import type { HttpClient } from '../support/http-client';
import { statsFolded } from '../support/message-stats';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { makeTemplate } from '../support/templates';
import { eventually } from '../support/wait';
import { becomes, send, type WireSession, workingSession } from '../support/whatsapp';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const ADMIN: Actor = {
  kind: 'platform',
  id: PLATFORM_ADMIN_ID,
  tenantId: PLATFORM_TENANT_ID,
  role: 'PLATFORM_ADMIN',
  scopes: null,
  requestsPerMinute: null,
  loginId: null,
};
const GOES_ON = new AbortController().signal;

let app: TestApp;
let platform: HttpClient;
let job: TenantPurgeJob;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  job = app.app.get(TenantPurgeJob);
});

afterAll(() => app.close());

interface Business {
  id: string;
  admin: LoggedIn;
  session: WireSession;
  key: FreshApiKeyResponse;
  /** Of the one message that it sent. */
  message: string;
}

/** A tenant that has something of everything. */
async function business(): Promise<Business> {
  const id = await app.make.tenant();
  await app.owner.query(`update tenants set quotas = '{"messages_per_day": 100}' where id = $1`, [id]);
  const admin = await app.login('TENANT_ADMIN', id);
  const session = await workingSession(app, admin.http);
  const { body: key } = await admin.http.post<FreshApiKeyResponse>('/api-keys', { name: 'ERP', role: 'MANAGER' });
  await makeTemplate(admin.http, 'Hello {{name}}');
  const headers = { 'idempotency-key': `of ${id}`.replaceAll(' ', '-') };
  const message = await send(admin.http, { session_id: session.id, to: '5511888880000', text: 'hello' }, headers);
  await becomes(admin.http, message.id, 'delivered', 'read');
  return { id, admin, session, key, message: message.id };
}

/** How many rows every table has of the tenant; none where it has none. */
async function rowsOf(tenantId: string): Promise<Record<string, number>> {
  const { rows: tables } = await app.owner.query<{ name: string }>(
    `select table_name as name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
      where c.column_name = 'tenant_id' and table_schema = 'public' and t.table_type = 'BASE TABLE'
        and table_name !~ '^audit_logs_' order by 1`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await app.owner.query<{ count: number }>(
      `select count(*)::int as count from ${name} where tenant_id = $1`,
      [tenantId],
    );
    if (rows[0]?.count) counts[name] = rows[0].count;
  }
  return counts;
}

/** Without the audit trail, which stays. */
const ownOf = (counts: Record<string, number>) =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => !name.startsWith('audit_')));

const remove = (id: string) => platform.delete<DeletedTenantResponse>(`/tenants/${id}`);

const namesInWaha = async () =>
  (await app.simulator.get<{ name: string }[]>('/api/sessions?all=true')).body.map(({ name }) => name);

const purgedRecords = async (id: string) =>
  (
    await app.owner.query(
      `select from audit_logs where tenant_id = $1 and action = 'TENANT_PURGED' and resource = $2`,
      [PLATFORM_TENANT_ID, `tenant:${id}`],
    )
  ).rows.length;

describe('DELETE /tenants/:id', () => {
  it('lets nobody of the tenant in from the next request on, and says again and again how far it is', async () => {
    const { id, admin, key } = await business();
    const deleted = await remove(id);
    expect(deleted.status).toBe(202);
    expect(deleted.body).toEqual({
      id,
      slug: `made-${id}`,
      name: 'Factory Ltd.',
      status: 'deleted',
      purge: { requested_at: expect.any(String), finished_at: null, report: {} },
    });
    const withKey = app.anybody.with({ 'x-api-key': key.key });
    expect([(await admin.http.get('/auth/profile')).status, (await withKey.get('/messages')).status]).toEqual([
      401, 401,
    ]);
    const { rows } = await app.owner.query(
      `select tenant_id from audit_logs where action = 'TENANT_DELETED' and resource = $1 order by 1`,
      [`tenant:${id}`],
    );
    expect(rows).toEqual([{ tenant_id: PLATFORM_TENANT_ID }, { tenant_id: id }]);
    const again = await remove(id);
    expect([again.status, again.body.purge.requested_at]).toEqual([202, deleted.body.purge.requested_at]);
    const lanes = await app.owner.query(`select distinct state from lanes where tenant_id = $1`, [id]);
    expect(lanes.rows).toEqual([{ state: 'closed' }]);
    await job.run(id, GOES_ON);
    // Who asks for it later is told what went, also when nothing of it is left.
    const { status, body } = await platform.get<DeletedTenantResponse>(`/tenants/${id}`);
    expect([status, body.status, body.purge.finished_at]).toEqual([200, 'deleted', expect.any(String)]);
  });

  it('refuses what was meant for another state, and says how far it is to whoever asks again', async () => {
    const id = await app.make.tenant();
    const expecting = (etag: string) =>
      platform.delete<DeletedTenantResponse>(`/tenants/${id}`, { headers: { 'if-match': etag } });
    expect((await expecting('"7"')).outcome).toBe('412 PRECONDITION_FAILED');
    expect(ownOf(await rowsOf(id))).toEqual({});
    expect((await platform.get<DeletedTenantResponse>(`/tenants/${id}`)).body.status).toBe('active');
    expect([(await expecting('"7", "1"')).status, (await expecting('"1"')).status]).toEqual([202, 202]);
    const nobody = await platform.delete(`/tenants/${PLATFORM_ADMIN_ID}`, { headers: { 'if-match': '"1"' } });
    expect(nobody.outcome).toBe('404 NOT_FOUND');
  });

  it('knows no tenant that never was, and is the platform’s alone', async () => {
    const { http } = await app.login('TENANT_ADMIN');
    expect((await remove(PLATFORM_ADMIN_ID)).outcome).toBe('404 NOT_FOUND');
    expect((await http.delete(`/tenants/${app.tenantId}`)).outcome).toBe('403 FORBIDDEN');
  });
});

describe('the purge of a tenant', () => {
  it('is found again where a process died before its job was queued', async () => {
    const id = await app.make.tenant();
    await app.app.get(TenantPurgesRepository).begin(ADMIN, id, null);
    await app.app.get(TenantPurgesService).resume(GOES_ON);
    await eventually(async () => (await purgedRecords(id)) === 1, {
      timeoutMs: 25_000,
      everyMs: 500,
      what: 'the purge by its job',
    });
    expect(ownOf(await rowsOf(id))).toEqual({});
  }, 40_000);

  it('leaves nothing but its audit trail, without a name in it and whole, and touches no other tenant', async () => {
    const [gone, stays] = [await business(), await business()];
    const had = await rowsOf(gone.id);
    expect(Object.keys(had)).toEqual(
      expect.arrayContaining([
        ...[
          'api_keys',
          'idempotency_keys',
          'lanes',
          'logins',
          'message_events',
          'messages',
          'sessions',
          'tenant_usage',
        ],
        ...['templates', 'users', 'webhook_events', 'audit_logs'],
      ]),
    );
    await app.app.get(AuditLog).flush();
    await becomes(stays.admin.http, stays.message, 'read');
    await statsFolded(app.owner, stays.id);
    const untouched = await rowsOf(stays.id);
    await remove(gone.id);
    await job.run(gone.id, GOES_ON);

    expect(ownOf(await rowsOf(gone.id))).toEqual({});
    expect(await namesInWaha()).toEqual(expect.not.arrayContaining([gone.session.waha_name]));
    expect(await namesInWaha()).toEqual(expect.arrayContaining([stays.session.waha_name]));
    const personal = await app.owner.query<{ all: number; named: number }>(
      `select count(*)::int as all, count(coalesce(personal, personal_salt::text))::int as named
        from audit_logs where tenant_id = $1`,
      [gone.id],
    );
    expect(personal.rows).toEqual([{ all: expect.any(Number), named: 0 }]);
    expect(personal.rows[0]?.all).toBeGreaterThan(3);
    expect(await app.app.get(ChainVerifier).verify(gone.id)).toMatchObject({ ok: true, firstBroken: null });

    const { purge } = (await remove(gone.id)).body;
    expect(purge.finished_at).toEqual(expect.any(String));
    expect(purge.report).toMatchObject({
      tables: { users: 1, api_keys: 1, templates: 1, messages: 1, sessions: 1, lanes: 1, tenants: 1 },
      sessions: { withdrawn: 1 },
      audit_erased: personal.rows[0]?.all,
    });
    expect(await purgedRecords(gone.id)).toBe(1);

    expect(await rowsOf(stays.id)).toMatchObject(ownOf(untouched));
    expect((await stays.admin.http.get('/auth/profile')).status).toBe(200);
    const reused = await app.owner.query(`insert into tenants (id, slug, name) values (gen_random_uuid(), $1, 'New')`, [
      `made-${gone.id}`,
    ]);
    expect(reused.rowCount).toBe(1);
  });

  it('may be killed at any step, and be run again', async () => {
    const { id } = await business();
    const { rows } = await app.owner.query<{ id: string }>('select id from sessions where tenant_id = $1', [id]);
    await app.owner.query(
      `insert into messages (tenant_id, id, session_id, chat, direction, type, status)
        select $1, gen_random_uuid(), $2, 'x@c.us', 'outbound', 'text', 'sent' from generate_series(1, 12000)`,
      [id, rows[0]?.id],
    );
    await remove(id);
    let killed = 0;
    for (let steps = 1; ; steps++) {
      const outcome = await job.run(id, endsAfter(steps)).then(
        () => 'done',
        (error: Error) => error.message,
      );
      if (outcome === 'done') break;
      expect(outcome).toBe('killed');
      killed += 1;
    }
    expect(killed).toBeGreaterThan(3);
    expect(ownOf(await rowsOf(id))).toEqual({});
    expect((await remove(id)).body.purge.report).toMatchObject({ tables: { messages: 12_001, tenants: 1 } });
    expect(await purgedRecords(id)).toBe(1);
  });

  it('may run twice at one time', async () => {
    const { id } = await business();
    await remove(id);
    await Promise.all([job.run(id, GOES_ON), job.run(id, GOES_ON)]);
    expect(ownOf(await rowsOf(id))).toEqual({});
    expect((await remove(id)).body.purge.report).toMatchObject({ tables: { users: 1, messages: 1, tenants: 1 } });
    expect(await purgedRecords(id)).toBe(1);
  });

  it('leaves no object of an upload that ends while it goes on, or after it', async () => {
    const { id } = await business();
    await remove(id);
    const [storage, background] = [app.app.get(ObjectStorage), app.app.get(BackgroundStorage)];
    const [during, later] = [newStorageKey(id), newStorageKey(id)];
    const arrives = (key: string) => storage.put(key, Readable.from([Buffer.from('late')]));
    const empty = background.deleteTenant.bind(background);
    jest.spyOn(background, 'deleteTenant').mockImplementationOnce(async (tenantId) => {
      await empty(tenantId);
      await arrives(during);
    });
    await job.run(id, GOES_ON);
    expect(await storage.get(during)).toBeNull();
    await arrives(later);
    await app.app.get(TenantPurgesService).resume(GOES_ON);
    expect(await storage.get(later)).toBeNull();
  });

  it('waits for WAHA, and after a day goes on without it and says so', async () => {
    const { id } = await business();
    await app.stopSimulator();
    await remove(id);
    await expect(job.run(id, GOES_ON)).rejects.toThrow();
    expect(await rowsOf(id)).toMatchObject({ sessions: 1, messages: 1, users: 1 });
    await app.owner.query(`update tenant_purges set requested_at = now() - interval '25 hours' where id = $1`, [id]);
    await job.run(id, GOES_ON);
    expect(ownOf(await rowsOf(id))).toEqual({});
    expect((await remove(id)).body.purge.report).toMatchObject({ sessions: { left_in_waha: 1 } });
  });
});

/** Stops a run at that one of the places at which it can be stopped. */
function endsAfter(steps: number): AbortSignal {
  let left = steps;
  const throwIfAborted = () => {
    if (--left < 0) throw new Error('killed');
  };
  return { throwIfAborted } as AbortSignal;
}
