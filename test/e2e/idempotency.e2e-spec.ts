import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { AppError } from '../../src/common/app-error';
import { CommonErrors } from '../../src/common/common.errors';
import { newId } from '../../src/common/ids';
import { workerDatabase } from '../support/database';
import { createPlatformApp } from '../support/platform-app';
import { eventually } from '../support/wait';
import { probe, WritesController } from './idempotency.harness';

const TENANTS = [newId(), newId()] as const;
const USER = newId();

describe('Idempotency-Key', () => {
  let app: NestFastifyApplication;
  let owner: Client;

  beforeAll(async () => {
    const database = await workerDatabase();
    app = await createPlatformApp({
      ownerUrl: database.ownerUrl,
      rolePrefix: 'switchboard_idempotency_test',
      controllers: [WritesController],
    });
    owner = await database.owner();
    for (const [index, id] of TENANTS.entries())
      await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `idempotency-${index}`]);
  });

  afterAll(async () => {
    await app.close();
    await owner.end();
  });

  beforeEach(() => {
    probe.runs = [];
    probe.answer = () => ({});
    probe.hold = Promise.resolve();
  });

  interface Call {
    method?: 'POST' | 'PUT' | 'DELETE' | 'GET';
    url?: string;
    key?: string;
    body?: string;
    caller?: string;
    headers?: Record<string, string>;
  }

  const call = ({ method = 'POST', url = '/writes', key, body, caller, headers }: Call) =>
    app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${caller ?? `${TENANTS[0]} ${USER}`}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: body }),
    });

  const expireLease = (key: string) =>
    owner.query(`update idempotency_keys set lease_until = now() - interval '1 s' where key = $1`, [key]);

  it('gives the same request the first answer again, byte for byte, and runs it once', async () => {
    probe.answer = () => ({ at: Math.random(), text: 'ü\u2028"' });
    const first = await call({ key: 'k-1', body: '{"value":{"a":1,"b":[2]}}' });
    const again = await call({ key: 'k-1', body: ' { "value": { "b": [2], "a": 1 } } ' });
    expect(first.statusCode).toBe(201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(again.statusCode).toBe(201);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.rawPayload.equals(first.rawPayload)).toBe(true);
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
    expect(probe.runs).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  it('is the same key under /api', async () => {
    const first = await call({ key: 'k-api', body: '{}' });
    const again = await call({ key: 'k-api', body: '{}', url: '/api/writes' });
    expect([again.headers['idempotent-replayed'], again.body]).toEqual(['true', first.body]);
  });

  it('runs each time where there is no key, and gives the handler no id', async () => {
    await call({ body: '{}' });
    await call({ body: '{}' });
    expect(probe.runs).toEqual([undefined, undefined]);
  });

  it.each([
    ['body', { body: '{"value":2}' }],
    ['query', { body: '{"value":1}', url: '/writes?value=1' }],
  ])('refuses the key with another %s', async (what, other) => {
    await call({ key: `k-other-${what}`, body: '{"value":1}' });
    const answer = await call({ key: `k-other-${what}`, ...other });
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(probe.runs).toHaveLength(1);
  });

  it('scopes keys to tenant, actor, route and its parameters', async () => {
    const key = 'k-scope';
    const other = newId();
    const answers = [
      await call({ key, body: '{}' }),
      await call({ key, body: '{}', caller: `${TENANTS[0]} ${other}` }),
      await call({ key, body: '{}', caller: `${TENANTS[1]} ${USER}` }),
      await call({ key, body: '{}', method: 'PUT', url: '/writes/1' }),
      await call({ key, body: '{}', method: 'PUT', url: '/writes/2' }),
      await call({ key, method: 'DELETE', url: '/writes/2' }),
    ];
    expect(answers.map(({ headers }) => headers['idempotent-replayed'])).toEqual(Array(6).fill(undefined));
    expect(probe.runs).toHaveLength(6);
  });

  it('replays an answer without a body', async () => {
    await call({ key: 'k-204', method: 'DELETE', url: '/writes/7' });
    const again = await call({ key: 'k-204', method: 'DELETE', url: '/writes/7' });
    expect([again.statusCode, again.body, again.headers['idempotent-replayed']]).toEqual([204, '', 'true']);
    expect(again.headers['content-type']).toBeUndefined();
    expect(probe.runs).toHaveLength(1);
  });

  it('answers 409 with Retry-After while the first is running, then its answer', async () => {
    let finish = (): void => undefined;
    probe.hold = new Promise((resolve) => (finish = resolve));
    const first = call({ key: 'k-running', body: '{}' });
    await eventually(() => probe.runs.length === 1);
    const during = await call({ key: 'k-running', body: '{}' });
    expect([during.statusCode, during.json().code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    expect(during.headers['retry-after']).toBe('1');
    finish();
    const after = await call({ key: 'k-running', body: '{}' });
    expect([after.headers['idempotent-replayed'], after.body]).toEqual(['true', (await first).body]);
  });

  it('runs one of many simultaneous requests', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call({ key: 'k-race', body: '{}' })));
    expect(probe.runs).toHaveLength(1);
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
    expect(statuses).toContain(201);
  });

  it.each([
    ['404', CommonErrors.notFound()],
    ['409', new AppError('CONFLICT', 'It is not so')],
    ['422', new AppError('IDEMPOTENCY_KEY_REUSED', 'a 422 of the handler')],
  ])('keeps a refusal for good (%s), with its request id in body and header', async (status, error) => {
    probe.answer = () => {
      throw error;
    };
    const first = await call({ key: `k-final-${status}`, body: '{}' });
    probe.answer = () => ({});
    const again = await call({ key: `k-final-${status}`, body: '{}' });
    expect(again.body).toBe(first.body);
    expect(String(again.statusCode)).toBe(status);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.headers['x-request-id']).toBe(again.json().requestId);
    expect(probe.runs).toHaveLength(1);
  });

  it.each([
    ['400', CommonErrors.invalidField('value', 'is wrong')],
    ['401', CommonErrors.authenticationFailed()],
    ['403', CommonErrors.forbidden()],
    ['429', CommonErrors.rateLimited(1)],
    ['500', new Error('unforeseen')],
    ['503', CommonErrors.database(new Error('gone'))],
  ])('keeps no %s: the same runs again under the same resource id', async (status, error) => {
    probe.answer = () => {
      throw error;
    };
    const first = await call({ key: `k-release-${status}`, body: '{}' });
    expect(String(first.statusCode)).toBe(status);
    probe.answer = () => ({});
    const again = await call({ key: `k-release-${status}`, body: '{}' });
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect(probe.runs).toEqual([probe.runs[0], probe.runs[0]]);
  });

  it('lets a released key carry another body, under another resource id', async () => {
    probe.answer = () => {
      throw CommonErrors.invalidField('value', 'is wrong');
    };
    await call({ key: 'k-mended', body: '{"value":"wrong"}' });
    probe.answer = () => ({});
    const mended = await call({ key: 'k-mended', body: '{"value":"right"}' });
    expect(mended.statusCode).toBe(201);
    expect(probe.runs[1]).not.toBe(probe.runs[0]);
  });

  it('takes over from a process that died, under the same resource id, and ignores its late answer', async () => {
    let finish = (): void => undefined;
    probe.hold = new Promise((resolve) => (finish = resolve));
    const dead = call({ key: 'k-dead', body: '{}' });
    await eventually(() => probe.runs.length === 1);
    await expireLease('k-dead');
    probe.hold = Promise.resolve();
    const other = await call({ key: 'k-dead', body: '{"value":1}' });
    expect(other.json().code).toBe('IDEMPOTENCY_KEY_REUSED');
    probe.answer = () => ({ by: 'the second' });
    const second = await call({ key: 'k-dead', body: '{}' });
    expect(second.json()).toMatchObject({ by: 'the second' });
    expect(probe.runs).toEqual([probe.runs[0], probe.runs[0]]);
    probe.answer = () => ({ by: 'the late one' });
    finish();
    await dead;
    expect((await call({ key: 'k-dead', body: '{}' })).body).toBe(second.body);
  });

  it('counts a key of more than 24 hours as absent', async () => {
    await call({ key: 'k-old', body: '{}' });
    await owner.query(
      `update idempotency_keys set created_at = now() - interval '25 hours', lease_until = now() - interval '25 hours'
       where key = 'k-old'`,
    );
    const answer = await call({ key: 'k-old', body: '{"value":"new"}' });
    expect([answer.statusCode, answer.headers['idempotent-replayed']]).toEqual([201, undefined]);
    const again = await call({ key: 'k-old', body: '{"value":"new"}' });
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(probe.runs).toHaveLength(2);
    expect(probe.runs[1]).not.toBe(probe.runs[0]);
  });

  it.each(['', ' ', 'a b', 'ü', 'x'.repeat(256)])('refuses the malformed key "%s"', async (key) => {
    const answer = await call({ key: Buffer.from(key, 'utf8').toString('latin1'), body: '{}' });
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.json().details[0].field).toBe('Idempotency-Key');
    expect(probe.runs).toEqual([]);
  });

  it('takes a key of 255 characters', async () => {
    expect((await call({ key: '~'.repeat(255), body: '{}' })).statusCode).toBe(201);
  });

  it('refuses a body that is nested too deep rather than failing over it', async () => {
    const deep = `{"value":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const answer = await call({ key: 'k-deep', body: deep });
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('is refused by routes that answer secrets, and means nothing to reads and open routes', async () => {
    const secret = await call({ key: 'k-secret', url: '/writes/secret', body: '{}' });
    expect([secret.statusCode, secret.json().details[0].field]).toEqual([400, 'Idempotency-Key']);
    for (const open of [{ url: '/writes/open', body: '{}' }, { method: 'GET' as const }])
      for (let i = 0; i < 2; i++) expect((await call({ key: 'k-free', ...open })).statusCode).toBeLessThan(300);
    expect(probe.runs).toEqual(['open', 'open', 'read', 'read']);
  });

  it('is asked after the permission: a replay needs the right as the first did', async () => {
    await call({ key: 'k-right', body: '{}' });
    const answer = await call({ key: 'k-right', body: '{}', caller: `${TENANTS[0]} ${USER} AUDITOR` });
    expect(answer.statusCode).toBe(403);
  });
});
