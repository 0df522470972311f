import type { ApiKeyResponse } from '../../src/modules/api-keys/dto/api-key.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { bearing, makeKey, type TestKey, tokenOf } from '../support/api-keys';
import type { HttpClient } from '../support/http-client';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const OWN = { expires_at: inMs(HOUR), requests_per_minute: 600, allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32'] };
const LOOSER: [string, object][] = [
  ['expires_at', { expires_at: inMs(2 * HOUR) }],
  ['expires_at', { expires_at: null }],
  ['requests_per_minute', { requests_per_minute: 601 }],
  ['requests_per_minute', { requests_per_minute: null }],
  ['allowed_cidrs', { allowed_cidrs: [] }],
  ['allowed_cidrs', { allowed_cidrs: ['127.0.0.0/8', '126.0.0.0/7'] }],
  ['allowed_cidrs', { allowed_cidrs: ['2001:db8::/31'] }],
];

/** The bounds that the refusal names. */
function refused(answer: { outcome: string; body: ErrorBody }): string[] {
  expect(answer.outcome).toBe('403 KEY_BOUNDS_EXCEEDED');
  return (answer.body.details ?? []).map(({ field }) => field);
}

const boundKey = (): Promise<TestKey> => makeKey(app, admin.http, OWN);
const patch = (http: HttpClient, id: string, body: object) => http.call<ErrorBody>('PATCH', `/api-keys/${id}`, body);
const make = (http: HttpClient, body: object) =>
  http.post<ErrorBody>('/api-keys', { name: 'another', role: 'TENANT_ADMIN', ...body });

describe('a key with bounds', () => {
  it('makes no key without them', async () => {
    const key = await boundKey();
    expect(refused(await make(key.http, {}))).toEqual(['expires_at', 'requests_per_minute', 'allowed_cidrs']);
  });

  it.each(LOOSER)('makes none that is looser in %s: %j', async (field, looser) => {
    const key = await boundKey();
    expect(refused(await make(key.http, { ...OWN, ...looser }))).toEqual([field]);
  });

  it.each(LOOSER)('does not loosen its own %s: %j', async (field, looser) => {
    const key = await boundKey();
    expect(refused(await patch(key.http, key.id, looser))).toEqual([field]);
    const { body } = await admin.http.get<ApiKeyResponse>(`/api-keys/${key.id}`);
    expect(body).toMatchObject(OWN);
  });

  it('makes keys that are bound as tightly or tighter, and loosens these up to its own bounds', async () => {
    const key = await boundKey();
    expect((await make(key.http, OWN)).status).toBe(201);
    const tight = await makeKey(app, key.http, {
      expires_at: inMs(HOUR / 2),
      requests_per_minute: 1,
      allowed_cidrs: ['127.0.0.1', '::ffff:127.1.0.0/112', '2001:db8:1::/48'],
    });
    expect((await patch(key.http, tight.id, OWN)).status).toBe(200);
    expect(refused(await patch(key.http, tight.id, { requests_per_minute: 601 }))).toEqual(['requests_per_minute']);
  });

  it('tightens itself, and stays so', async () => {
    const key = await boundKey();
    expect((await patch(key.http, key.id, { requests_per_minute: 500 })).status).toBe(200);
    expect(refused(await patch(key.http, key.id, { requests_per_minute: 600 }))).toEqual(['requests_per_minute']);
  });

  it('neither changes nor rotates a looser key, but rotates itself', async () => {
    const [key, looser] = [await boundKey(), await makeKey(app, admin.http)];
    const all = ['expires_at', 'requests_per_minute', 'allowed_cidrs'];
    expect(refused(await patch(key.http, looser.id, OWN))).toEqual(all);
    expect(refused(await key.http.post<ErrorBody>(`/api-keys/${looser.id}/rotate`, {}))).toEqual(all);
    expect((await key.http.post(`/api-keys/${key.id}/rotate`, {})).status).toBe(200);
  });

  it('is bound by its access tokens too', async () => {
    const key = await boundKey();
    for (const scope of [undefined, 'api-keys:manage messages:read']) {
      const http = bearing(app, await tokenOf(app, key, scope));
      const rights = { role: undefined, scopes: ['messages:read'] };
      expect(refused(await make(http, { ...OWN, ...rights, expires_at: null }))).toEqual(['expires_at']);
      expect((await make(http, { ...OWN, ...rights })).status).toBe(201);
    }
  });
});

describe('people', () => {
  it('loosen every key', async () => {
    const key = await boundKey();
    const none = { expires_at: null, requests_per_minute: null, allowed_cidrs: [] };
    expect((await patch(admin.http, key.id, none)).status).toBe(200);
    expect((await make(key.http, {})).status).toBe(201);
  });
});
