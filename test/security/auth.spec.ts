import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { Config } from '../../src/config/config';
import type { ProfileResponse } from '../../src/modules/auth/dto/profile.response';
import { createAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { startOwnPostgres, workerDatabase } from '../support/database';
import { eventually } from '../support/wait';

const UNLIMITED = { AUTH_RATE_LIMIT_PER_MINUTE: '100000', RATE_LIMIT_PER_MINUTE: '100000' };

let api: Api;
/** Everything that was started: closed even where a test fails half way. */
const started: NestFastifyApplication[] = [];
let owner: Client;
let secret: string;

beforeAll(async () => {
  const app = await start();
  api = new Api(app);
  owner = await (await workerDatabase()).owner();
  secret = app.get(Config).JWT_SECRET ?? '';
});

afterAll(async () => {
  await owner.end();
  await Promise.all(started.map((app) => app.close()));
});

/** One more process on the same database, unless told otherwise. */
async function start(variables: Record<string, string> = {}): Promise<NestFastifyApplication> {
  const app = await createTestApp({ ...UNLIMITED, ...variables });
  started.push(app);
  return app;
}

const as = (authorization: string) => api.get('/users/me', { headers: { authorization } });
const newLogin = async () => api.logIn(await createAccount(owner));
const REFUSED = '401 AUTHENTICATION_FAILED';

const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, number>;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

/** The token with other claims or another header, signed as one likes. */
function resigned(token: string, change: { header?: object; claims?: object; key?: string | null }): string {
  const [header, claims] = token.split('.');
  const signed = `${encode({ ...decode(header), ...change.header })}.${encode({ ...decode(claims), ...change.claims })}`;
  if (change.key === null) return `${signed}.`;
  return `${signed}.${createHmac('sha256', change.key ?? secret)
    .update(signed)
    .digest('base64url')}`;
}

describe('an access token', () => {
  it('is HS256 with a key id, for 15 minutes, and carries who, where and through which login', async () => {
    const [header, claims] = (await newLogin()).access_token.split('.');
    expect(decode(header)).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[0-9a-f]{8}$/) });
    const says = decode(claims);
    expect(Object.keys(says).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub', 'tid']);
    expect((says.exp ?? 0) - (says.iat ?? 0)).toBe(900);
  });

  it('is accepted when signed by hand with the secret: what follows is refused for its own fault', async () => {
    const { access_token } = await newLogin();
    expect((await api.me(resigned(access_token, {}))).statusCode).toBe(200);
    expect((await as(`bearer ${access_token}`)).statusCode).toBe(200);
  });

  it.each<[string, Parameters<typeof resigned>[1]]>([
    ['that has expired', { claims: { exp: now() - 1 } }],
    ['that is not valid yet', { claims: { nbf: now() + 60 } }],
    ['of alg none', { header: { alg: 'none' }, key: null }],
    ['of alg None with a signature', { header: { alg: 'None' } }],
    ['signed with another key', { key: 'another secret of 32 characters or so' }],
    ['signed with the key id for a key', { key: createHash('sha256').update('').digest('hex') }],
    ['with a key id unknown here', { header: { kid: 'ffffffff' } }],
    ['without a key id', { header: { kid: undefined } }],
    ['of another issuer', { claims: { iss: 'somebody' } }],
    ['for another audience', { claims: { aud: 'somebody' } }],
    ['of a login that never was', { claims: { sid: '01940b6e-7f60-7000-8000-0123456789ab' } }],
    ['whose login id is no id', { claims: { sid: 'x' } }],
    ['of another user', { claims: { sub: '01940b6e-7f60-7000-8000-0123456789ab' } }],
    ['of another tenant', { claims: { tid: '01940b6e-7f60-7000-8000-0123456789ab' } }],
  ])('is refused when it is one %s', async (_what, change) => {
    const { access_token } = await newLogin();
    expect((await api.me(resigned(access_token, change))).refusal).toBe(REFUSED);
  });

  it('is refused with one character changed or missing, and as anything but a bearer token', async () => {
    const { access_token } = await newLogin();
    const [header, claims, signature = ''] = access_token.split('.');
    const changed = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    const credentials = [
      `Bearer ${header}.${claims}.${changed}`,
      `Bearer ${access_token.slice(0, -1)}`,
      `Bearer ${header}.${claims}`,
      `Bearer ${access_token} x`,
      'Bearer',
      'Bearer ',
      '',
      access_token,
      `Basic ${access_token}`,
    ];
    for (const credential of credentials) expect((await as(credential)).refusal).toBe(REFUSED);
  });

  it('that expires is refused although it was accepted before', async () => {
    const { access_token } = await newLogin();
    const brief = resigned(access_token, { claims: { exp: now() + 2 } });
    expect((await api.me(brief)).statusCode).toBe(200);
    await eventually(async () => (await api.me(brief)).statusCode === 401);
    expect((await api.me(access_token)).statusCode).toBe(200);
  });

  it('gives the role of now, not the one that it was made with', async () => {
    const account = await createAccount(owner, { role: 'AGENT' });
    const login = await api.logIn(account);
    const promoted = resigned(login.access_token, { claims: { role: 'TENANT_ADMIN' } });
    const profile = await api.get<ProfileResponse>('/auth/profile', { token: promoted });
    expect(profile.body.role).toBe('AGENT');
  });
});

describe('a refresh token', () => {
  it('is refused when forged or truncated, and the login it names goes on', async () => {
    const [login, stranger] = [await newLogin(), await newLogin()];
    const token = login.refresh_token;
    const [payload = '', mac = ''] = token.split('.');
    const bytes = Buffer.from(payload.slice(3), 'base64url');
    bytes.writeUInt32BE(9, 32);
    const forged = [
      token.slice(0, -1),
      token.slice(3),
      `${token}A`,
      `${payload}.${randomBytes(32).toString('base64url')}`,
      `${payload}.${stranger.refresh_token.split('.')[1]}`,
      `${stranger.refresh_token.split('.')[0]}.${mac}`,
      `rt_${bytes.toString('base64url')}.${mac}`,
      `rt_${randomBytes(36).toString('base64url')}.${mac}`,
      login.access_token,
      'x',
    ];
    for (const one of forged) expect((await api.refresh(one)).refusal).toBe(REFUSED);
    expect((await api.me(login.access_token)).statusCode).toBe(200);
    expect((await api.refresh(token)).statusCode).toBe(200);
  });

  it('is no credential for anything else', async () => {
    const { refresh_token } = await newLogin();
    expect((await api.me(refresh_token)).refusal).toBe(REFUSED);
  });

  it('is not in the database, nor is anything that it could be made of without the secret', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    const { rows } = await owner.query<{ row: string }>(`select l::text as row from logins l where user_id = $1`, [
      account.userId,
    ]);
    const mac = Buffer.from(login.refresh_token.split('.')[1] ?? '', 'base64url').toString('hex');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(mac);
    expect(rows[0]?.row).not.toContain(login.refresh_token);
    expect(rows[0]?.row).not.toContain(login.access_token);
  });
});

describe('JWT_PREVIOUS_SECRETS', () => {
  it('lets every login go on over a change of the secret, and none without them', async () => {
    const login = await newLogin();
    const changed = { JWT_SECRET: 'a new secret of at least 32 characters' };
    const rotated = new Api(await start({ ...changed, JWT_PREVIOUS_SECRETS: secret }));
    const strange = new Api(await start(changed));
    expect((await rotated.me(login.access_token)).statusCode).toBe(200);
    expect((await strange.me(login.access_token)).refusal).toBe(REFUSED);
    expect((await strange.refresh(login.refresh_token)).refusal).toBe(REFUSED);
    const { statusCode, body: pair } = await rotated.refresh(login.refresh_token);
    expect(statusCode).toBe(200);
    expect(decode(pair.access_token.split('.')[0]).kid).not.toBe(decode(login.access_token.split('.')[0]).kid);
    expect((await rotated.me(pair.access_token)).statusCode).toBe(200);
    expect((await strange.me(pair.access_token)).statusCode).toBe(200);
  });
});

describe('what ends a login elsewhere', () => {
  it('takes effect here within 5 s: logging out on another replica, a user made inactive, a suspended tenant', async () => {
    const replica = new Api(await start());
    const accounts = [await createAccount(owner), await createAccount(owner), await createAccount(owner)];
    const tokens: string[] = [];
    for (const account of accounts) tokens.push((await api.logIn(account)).access_token);
    const answers = async () => (await Promise.all(tokens.map((token) => api.me(token)))).map((one) => one.refusal);
    expect(await answers()).toEqual(Array(3).fill('200 undefined'));
    await replica.post('/auth/logout', undefined, { token: tokens[0] });
    await owner.query(`update users set status = 'inactive' where id = $1`, [accounts[1]?.userId]);
    await owner.query(`update tenants set status = 'suspended' where id = $1`, [accounts[2]?.tenantId]);
    await eventually(async () => expect(await answers()).toEqual(Array(3).fill(REFUSED)), { timeoutMs: 6_000 });
  });
});

describe('without the database', () => {
  it('a login known a moment ago still is one, all else gets 503, and nobody gets 401', async () => {
    const own = await startOwnPostgres();
    const alone = new Api(await start({ DATABASE_URL: own.url }));
    const client = new Client({ connectionString: own.url });
    await client.connect();
    const account = await createAccount(client);
    const [known, unknown] = [await alone.logIn(account), await alone.logIn(account)];
    await client.end();
    // Authenticated, and then refused before anything is asked of the database.
    const asks = async (token: string) => (await alone.post('/auth/logout', { all: 1 }, { token })).refusal;
    expect(await asks(known.access_token)).toBe('400 VALIDATION_FAILED');
    await own.stop('immediate');
    expect(await asks(known.access_token)).toBe('400 VALIDATION_FAILED');
    const attempt = { email: 'jane@acme.example', password: 'correct horse battery' };
    const refusals = [
      await asks(unknown.access_token),
      (await alone.refresh(known.refresh_token)).refusal,
      (await alone.post('/auth/login', attempt)).refusal,
      (await alone.post('/users/register', attempt)).refusal,
    ];
    expect(refusals).toEqual(Array(4).fill('503 DATABASE_ERROR'));
    await eventually(async () => expect(await asks(known.access_token)).toBe('503 DATABASE_ERROR'), {
      timeoutMs: 6_000,
    });
  });
});
