import { createHash, createHmac } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { createApp } from '../../src/bootstrap';
import { Config } from '../../src/config/config';
import type { FreshApiKeyResponse } from '../../src/modules/api-keys/dto/api-key.response';
import type { ServiceTokenResponse } from '../../src/modules/auth/dto/token.response';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { createLogger } from '../../src/platform/logging/logger';
import { createAccount, type TestAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';

const UNLIMITED = { AUTH_RATE_LIMIT_PER_MINUTE: '100000', RATE_LIMIT_PER_MINUTE: '100000' };
const ADMIN_KEY = 'marked-admin-key-of-more-than-32-characters';
const REFUSED = '401 AUTHENTICATION_FAILED';

let app: NestFastifyApplication;
let api: Api;
let owner: Client;
let secret: string;
let log = '';
let account: TestAccount;
let login: string;

beforeAll(async () => {
  const quiet = await createTestApp({ ...UNLIMITED, ADMIN_API_KEY: ADMIN_KEY });
  const config = Object.assign(new Config(), quiet.get(Config), { LOG_LEVEL: 'trace' });
  await quiet.close();
  app = await createApp(config, { logger: createLogger(config, { write: (line: string) => void (log += line) }) });
  api = new Api(app);
  owner = await (await workerDatabase()).owner();
  secret = config.JWT_SECRET ?? '';
  account = await createAccount(owner);
  login = (await api.logIn(account)).access_token;
});

afterAll(async () => {
  await owner.end();
  await app.close();
});

async function makeKey(): Promise<FreshApiKeyResponse> {
  const payload = { name: 'a key', role: 'MANAGER' };
  return (await api.post<FreshApiKeyResponse>('/api-keys', payload, { token: login })).body;
}

async function tokenOf({ id, key }: FreshApiKeyResponse): Promise<string> {
  const payload = { grant_type: 'client_credentials', client_id: id, client_secret: key };
  return (await api.post<ServiceTokenResponse>('/auth/token', payload)).body.access_token;
}

const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** The token with other claims or another header, signed as one likes. */
function resigned(token: string, change: { header?: object; claims?: object; key?: string | null }): string {
  const [header, claims] = token.split('.');
  const signed = `${encode({ ...decode(header), ...change.header })}.${encode({ ...decode(claims), ...change.claims })}`;
  if (change.key === null) return `${signed}.`;
  const mac = createHmac('sha256', change.key ?? secret).update(signed);
  return `${signed}.${mac.digest('base64url')}`;
}

const profile = async (token: string) => (await api.get('/auth/profile', { token })).refusal;

describe('an access token of an API key', () => {
  it('is accepted when signed by hand with the secret: what follows is refused for its own fault', async () => {
    expect(await profile(resigned(await tokenOf(await makeKey()), {}))).toBe('200 undefined');
  });

  it.each<[string, Parameters<typeof resigned>[1]]>([
    ['of alg none', { header: { alg: 'none' }, key: null }],
    ['of another alg', { header: { alg: 'HS512' } }],
    ['signed with another key', { key: 'another secret of 32 characters or so' }],
    ['with a key id unknown here', { header: { kid: 'ffffffff' } }],
    ['with a key id that is a path', { header: { kid: '../../dev/null' }, key: '' }],
    ['that has expired', { claims: { exp: Math.floor(Date.now() / 1000) - 1 } }],
    ['of another key', { claims: { sub: '01940b6e-7f60-7000-8000-0123456789ab' } }],
    ['of another tenant', { claims: { tid: '01940b6e-7f60-7000-8000-0123456789ab' } }],
    ['of a secret that never was', { claims: { key: createHash('sha256').update('x').digest('base64url') } }],
    ['whose hash is none', { claims: { key: 'x' } }],
    ['whose scope is no text', { claims: { scope: ['messages:read'] } }],
    ['that names a login too', { claims: { sid: '01940b6e-7f60-7000-8000-0123456789ab' } }],
  ])('is refused when it is one %s', async (_what, change) => {
    expect(await profile(resigned(await tokenOf(await makeKey()), change))).toBe(REFUSED);
  });

  it('cannot be made of a user’s token, nor the other way round', async () => {
    const key = await makeKey();
    const hash = decode((await tokenOf(key)).split('.')[1]).key;
    expect(await profile(resigned(login, { claims: { sid: undefined, key: hash } }))).toBe(REFUSED);
    expect(await profile(resigned(login, { claims: { key: hash } }))).toBe(REFUSED);
    const { sid } = decode(login.split('.')[1]);
    const asUser = { claims: { key: undefined, sid, sub: key.id } };
    expect(await profile(resigned(await tokenOf(key), asUser))).toBe(REFUSED);
  });

  it('gives no way back to the key: neither it nor what it carries opens anything as a key', async () => {
    const key = await makeKey();
    const token = await tokenOf(key);
    const hash = String(decode(token.split('.')[1]).key);
    for (const guess of [token, hash, `${key.prefix}_${hash}`])
      expect((await api.get('/auth/profile', { headers: { 'x-api-key': guess } })).refusal).toBe(REFUSED);
  });

  it('holds no more than the key, whatever it says itself', async () => {
    const token = await tokenOf(await makeKey());
    const raised = resigned(token, {
      claims: { scope: 'api-keys:manage tenants:manage password:change messages:read' },
    });
    const { body } = await api.get<{ permissions: string[] }>('/auth/profile', { token: raised });
    expect(body.permissions).toEqual(['profile:read', 'messages:read']);
  });
});

describe('made-up keys', () => {
  it('do not push real ones out, nor keep them waiting', async () => {
    const key = await makeKey();
    const ask = () => api.get('/auth/profile', { headers: { 'x-api-key': key.key } });
    expect((await ask()).statusCode).toBe(200);
    const flood = Array.from({ length: 300 }, (_, index) =>
      api.get('/auth/profile', { headers: { 'x-api-key': `${key.prefix}_${madeUp(index)}` } }),
    );
    expect((await ask()).statusCode).toBe(200);
    expect(new Set((await Promise.all(flood)).map(({ refusal }) => refusal))).toEqual(new Set([REFUSED]));
  });
});

const madeUp = (index: number): string => createHash('sha256').update(`made up ${index}`).digest('base64url');

describe('keys and tokens', () => {
  it('are in no line of the log and in no record of the audit trail, whatever is done with them', async () => {
    const key = await makeKey();
    const token = await tokenOf(key);
    const rotated = (
      await api.post<FreshApiKeyResponse>(`/api-keys/${key.id}/rotate`, { grace_s: 60 }, { token: login })
    ).body;
    const shown = { 'x-api-key': rotated.key };
    await api.get('/auth/profile', { headers: shown });
    await api.get(`/auth/profile?key=${key.key}`, { headers: shown });
    await api.get(`/nothing/${key.key}?access_token=${token}`, { headers: shown });
    await api.post('/auth/token', { grant_type: key.key, client_id: key.key, client_secret: key.key });
    await api.post('/auth/introspect', { token, token_type_hint: key.key }, { token: login });
    await api.post('/api-keys', { name: 'x', role: rotated.key }, { headers: shown });
    await api.get('/api-keys', { headers: { 'x-api-key': ADMIN_KEY } });
    await api.get('/auth/profile', { headers: { 'x-api-key': `${ADMIN_KEY}x`, 'user-agent': 'a client' } });
    await app.get(AuditLog).flush();
    const { rows } = await owner.query<{ row: string }>('select a::text as row from audit_logs a');
    const trail = rows.map(({ row }) => row).join('\n');
    expect(log).toContain('"/api-keys"');
    expect(trail).toContain('API_KEY_ROTATED');
    const secrets = [key.key, rotated.key].map((one) => one.slice(13));
    for (const marked of [...secrets, token, login, ADMIN_KEY]) {
      expect(log.includes(marked)).toBe(false);
      expect(trail.includes(marked)).toBe(false);
    }
  });
});
