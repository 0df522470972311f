import { Client } from 'pg';
import { createTestApp } from '../support/app';
import { startOwnPostgres } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { envelope, inbound, signatureOf, signed } from '../support/webhooks';

const MIB = 1024 * 1024;

let app: TestApp;
let session: TestSession;
let other: TestSession;

beforeAll(async () => {
  app = await startTestApp();
  session = await app.make.session(app.tenantId);
  other = await app.make.session(await app.make.tenant());
});

afterAll(() => app.close());

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  app.anybody.post('/webhooks/waha', body, { headers });
const event = (more: Record<string, unknown> = {}) => envelope(session, 'message', { payload: inbound('X'), ...more });
const hmac = (signature: string) => ({ 'x-webhook-hmac': signature });

/** How many events the database holds, of whomever. */
async function stored(): Promise<number> {
  const { rows } = await app.owner.query<{ n: number }>('select count(*)::int as n from webhook_events');
  return rows[0]?.n ?? -1;
}

describe('a webhook', () => {
  it('that is rightly signed is taken: what follows is refused for its own fault', async () => {
    const body = event();
    expect((await post(body, hmac(signatureOf(session.secret, body)))).status).toBe(200);
    expect(await stored()).toBe(1);
  });

  it.each<[string, (body: string, right: string) => Record<string, string>]>([
    ['without a signature', () => ({})],
    ['with an empty signature', () => hmac('')],
    ['with a signature of zeros', () => hmac('0'.repeat(128))],
    ["signed with another session's key", (body) => hmac(signatureOf(other.secret, body))],
    ['signed with an empty key', (body) => hmac(signatureOf('', body))],
    ['signed with the name of the session', (body) => hmac(signatureOf(session.wahaName, body))],
    ['signed in upper-case hex', (_body, right) => hmac(right.toUpperCase())],
    ['with a truncated signature', (_body, right) => hmac(right.slice(0, -2))],
    ['with half a signature', (_body, right) => hmac(right.slice(0, 64))],
    ['with a signature and more behind it', (_body, right) => hmac(`${right}00`)],
    ['with a signature and spaces in it', (_body, right) => hmac(`${right.slice(0, 64)} ${right.slice(64)}`)],
    ['with one bit of the signature turned', (_body, right) => hmac(flipped(right))],
    ['with two signatures, one of them right', (_body, right) => hmac(`${right}, ${right}`)],
    ['with the signature under another name', (_body, right) => ({ 'x-hub-signature': right })],
  ])('%s is refused with 401, and nothing is stored', async (_what, headers) => {
    const before = await stored();
    const body = event();
    const answer = await post(body, headers(body, signatureOf(session.secret, body)));
    expect(answer.outcome).toBe('401 AUTHENTICATION_FAILED');
    expect(await stored()).toBe(before);
  });

  it('altered by one byte is refused, whichever byte it is', async () => {
    const before = await stored();
    const body = Buffer.from(event());
    const signature = signatureOf(session.secret, body);
    const outcomes = new Set<string>();
    for (let i = 0; i < body.length; i += 7) {
      const altered = Buffer.from(body);
      altered[i] = (altered[i] ?? 0) ^ 1;
      outcomes.add((await post(altered, hmac(signature))).outcome);
    }
    // A byte of the structure makes it no event, one of the session's name an unknown session.
    for (const outcome of outcomes)
      expect(['401 AUTHENTICATION_FAILED', '400 VALIDATION_FAILED', '404 NOT_FOUND']).toContain(outcome);
    expect(outcomes).toContain('401 AUTHENTICATION_FAILED');
    expect(await stored()).toBe(before);
  });

  it('that names a session twice belongs to the one whose key signed it', async () => {
    const before = await stored();
    const body = event().replace('{', `{"session":"${other.wahaName}",`);
    expect((await post(body, hmac(signatureOf(other.secret, body)))).outcome).toBe('401 AUTHENTICATION_FAILED');
    expect(await stored()).toBe(before);
    expect((await post(body, hmac(signatureOf(session.secret, body)))).status).toBe(200);
    const { rows } = await app.owner.query('select tenant_id from webhook_events order by seq desc limit 1');
    expect(rows).toEqual([{ tenant_id: session.tenantId }]);
  });

  it('of an unknown session is 404, though it be signed', async () => {
    const body = envelope({ ...session, wahaName: 'nobody' }, 'message');
    expect((await post(body, hmac(signatureOf(session.secret, body)))).outcome).toBe('404 NOT_FOUND');
    expect((await post(body)).outcome).toBe('401 AUTHENTICATION_FAILED');
  });

  it.each([
    ['no JSON', '{"id":'],
    ['an empty body', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['no session', '{"id":"evt_1","event":"message"}'],
    ['no event', '{"id":"evt_1","session":"s"}'],
    ['no id', '{"event":"message","session":"s"}'],
    ['an empty id', '{"id":"","event":"message","session":"s"}'],
    ['a session that is an object', '{"id":"evt_1","event":"message","session":{"a":1}}'],
    ['a session of 1,000 characters', `{"id":"evt_1","event":"message","session":"${'s'.repeat(1000)}"}`],
    ['a NUL in the session', '{"id":"evt_1","event":"message","session":"a\\u0000b"}'],
    ['a NUL in the event', '{"id":"evt_1","event":"message\\u0000","session":"s"}'],
    ['half a character in the id', '{"id":"evt_\\ud83d","event":"message","session":"s"}'],
    ['an event of 100 characters', `{"id":"evt_1","event":"${'e'.repeat(100)}","session":"s"}`],
  ])('with %s is 400', async (_what, body) => {
    const before = await stored();
    const outcome = (await post(body, hmac(signatureOf(session.secret, body)))).outcome;
    expect(outcome).toBe('400 VALIDATION_FAILED');
    expect(await stored()).toBe(before);
  });

  it('of exactly 10 MiB is taken, of one byte more it is 413', async () => {
    const frame = envelope(session, 'message', { payload: inbound('BIG'), filler: '' });
    const ofLength = (bytes: number) => frame.replace('"filler":""', `"filler":"${'x'.repeat(bytes - frame.length)}"`);
    const [largest, tooLarge] = [ofLength(10 * MIB), ofLength(10 * MIB + 1)];
    expect(Buffer.byteLength(largest)).toBe(10 * MIB);
    expect((await post(largest, hmac(signatureOf(session.secret, largest)))).status).toBe(200);
    const answer = await post(tooLarge, hmac(signatureOf(session.secret, tooLarge)));
    expect(answer.outcome).toBe('413 PAYLOAD_TOO_LARGE');
  });

  it('of a deleted session is taken or unknown, and never a failure', async () => {
    const gone = await app.make.session(app.tenantId);
    await app.owner.query(`update sessions set desired = 'deleted', status = 'DELETED' where id = $1`, [gone.id]);
    const body = envelope(gone, 'session.status', { payload: { status: 'STOPPED' } });
    const answer = await post(body, hmac(signatureOf(gone.secret, body)));
    expect(['200', '404 NOT_FOUND']).toContain(answer.outcome);
  });

  it('that is refused is counted', async () => {
    const counted = async () => {
      const { text } = await app.anybody.get('/metrics');
      return Number(/switchboard_webhooks_total\{[^}]*result="refused"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    await post(event(), hmac('0'.repeat(128)));
    expect(await counted()).toBe(before + 1);
  });
});

const flipped = (hex: string): string => `${(parseInt(hex.slice(0, 1), 16) ^ 1).toString(16)}${hex.slice(1)}`;

describe('while the database is away', () => {
  it('a webhook is answered with 503, so that WAHA posts it again, and is then stored', async () => {
    const own = await startOwnPostgres();
    const alone = await createTestApp({ DATABASE_URL: own.url });
    const owner = new Client({ connectionString: own.url });
    owner.on('error', () => undefined);
    await owner.connect();
    const make = new Factories(owner, alone);
    const target = await make.session(await make.tenant());
    const deliver = async (body: string) => {
      const headers = { 'content-type': 'application/json', ...signed(target.secret, body).headers };
      const answer = await alone.inject({ method: 'POST', url: '/webhooks/waha', payload: body, headers });
      return [answer.statusCode, answer.json<{ stored?: boolean; code?: string }>()] as const;
    };
    expect((await deliver(envelope(target, 'message')))[0]).toBe(200);
    await own.stop('immediate');
    const again = envelope(target, 'message');
    expect(await deliver(again)).toMatchObject([503, { code: 'DATABASE_ERROR' }]);
    await own.restart();
    await eventually(async () => expect(await deliver(again)).toEqual([200, { stored: true }]));
    await alone.close();
    await owner.end().catch(() => undefined);
  });
});
