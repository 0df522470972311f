import type { ApiKeyResponse, FreshApiKeyResponse } from '../../src/modules/api-keys/dto/api-key.response';
import { makeKey } from '../support/api-keys';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const HOUR = 3_600_000;

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

describe('POST /api-keys/:id/rotate', () => {
  const rotate = (id: string, body: object = {}) =>
    admin.http.post<FreshApiKeyResponse>(`/api-keys/${id}/rotate`, body);
  const works = async (key: string) =>
    (await app.anybody.get('/auth/profile', { headers: { 'x-api-key': key } })).status;

  it('gives a new key, and lets the old one live on for a day unless told otherwise', async () => {
    const key = await makeKey(app, admin.http);
    expect(await works(key.key)).toBe(200);
    const rotated = await rotate(key.id);
    expect([rotated.status, rotated.headers.get('cache-control'), rotated.headers.get('etag')]).toEqual([
      200,
      'no-store',
      '"2"',
    ]);
    expect(rotated.body).toMatchObject({ id: key.id, prefix: key.prefix });
    expect(rotated.body.key).not.toBe(key.key);
    const graceMs = Date.parse(rotated.body.previous_key_until ?? '') - Date.now();
    expect(Math.abs(graceMs - 24 * HOUR)).toBeLessThan(60_000);
    expect(await works(key.key)).toBe(200);
    expect(await works(rotated.body.key)).toBe(200);
    const again = await rotate(key.id);
    expect(await works(key.key)).toBe(401);
    expect(await works(rotated.body.key)).toBe(200);
    expect(await works(again.body.key)).toBe(200);
  });

  it('ends the old one at once without a grace period', async () => {
    const key = await makeKey(app, admin.http);
    expect(await works(key.key)).toBe(200);
    const rotated = await rotate(key.id, { grace_s: 0 });
    expect(rotated.body.previous_key_until).toBeNull();
    expect(await works(key.key)).toBe(401);
    expect(await works(rotated.body.key)).toBe(200);
  });

  it('ends the old one when its grace is over, to the second', async () => {
    const key = await makeKey(app, admin.http);
    const rotated = await rotate(key.id, { grace_s: 1 });
    const until = Date.parse(rotated.body.previous_key_until ?? '');
    let last = 200;
    while (last === 200) {
      const before = Date.now();
      last = await works(key.key);
      expect(last).toBe(before > until ? 401 : last);
    }
    expect(Date.now()).toBeGreaterThanOrEqual(until);
    expect(await works(rotated.body.key)).toBe(200);
  });

  it.each([-1, 604_801, 1.5, '60', null])('refuses a grace of %j', async (graceS) => {
    const key = await makeKey(app, admin.http);
    expect((await rotate(key.id, { grace_s: graceS })).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('DELETE /api-keys/:id', () => {
  it('ends the key from the next request on, and for good', async () => {
    const key = await makeKey(app, admin.http);
    expect((await key.http.get('/auth/profile')).status).toBe(200);
    const answer = await admin.http.delete(`/api-keys/${key.id}`);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await key.http.get('/auth/profile')).outcome).toBe('401 AUTHENTICATION_FAILED');
    for (const gone of [
      await admin.http.delete(`/api-keys/${key.id}`),
      await admin.http.get(`/api-keys/${key.id}`),
      await admin.http.call('PATCH', `/api-keys/${key.id}`, { name: 'x' }),
      await admin.http.post(`/api-keys/${key.id}/rotate`, {}),
    ])
      expect(gone.outcome).toBe('404 NOT_FOUND');
    const list = await admin.http.get<ApiKeyResponse[]>('/api-keys?limit=100');
    expect(list.body.map(({ id }) => id)).not.toContain(key.id);
  });
});

describe('If-Match', () => {
  it.each([
    ['POST', '/rotate', 200],
    ['DELETE', '', 204],
  ] as const)('keeps %s %s from a key that was changed since', async (method, path, done) => {
    const { id } = await makeKey(app, admin.http);
    await admin.http.call('PATCH', `/api-keys/${id}`, { name: 'changed since' });
    const call = (etag: string) =>
      admin.http.call(method, `/api-keys/${id}${path}`, method === 'POST' ? {} : undefined, {
        headers: { 'if-match': etag },
      });
    expect((await call('"1"')).outcome).toBe('412 PRECONDITION_FAILED');
    expect((await admin.http.get(`/api-keys/${id}`)).headers.get('etag')).toBe('"2"');
    expect((await call('"2"')).status).toBe(done);
  });
});
