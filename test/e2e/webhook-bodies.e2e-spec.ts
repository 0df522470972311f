import type { TestSession } from '../support/factories';
import { startTestApp, type TestApp } from '../support/running-app';
import { envelope, inbound, signed } from '../support/webhooks';

const MIB = 1024 * 1024;
/** Below this a body may be parsed to learn whose it is. */
const SMALL_BYTES = 65_536;

let app: TestApp;
let session: TestSession;
let other: TestSession;

beforeAll(async () => {
  app = await startTestApp();
  session = await app.make.session(app.tenantId);
  other = await app.make.session(await app.make.tenant());
});

afterAll(() => app.close());
afterEach(() => jest.restoreAllMocks());

const post = (body: string, secret: string) => app.anybody.post('/webhooks/waha', body, signed(secret, body));

/** Posts it and answers with the outcome and the length of the longest text that was parsed meanwhile. */
async function parsedBy(body: string, secret: string): Promise<{ outcome: string; longest: number }> {
  const parse = jest.spyOn(JSON, 'parse');
  const { outcome } = await post(body, secret);
  const lengths = parse.mock.calls.map(([text]) => text.length);
  return { outcome, longest: Math.max(0, ...lengths) };
}

async function storedBodies(): Promise<number[]> {
  const { rows } = await app.owner.query<{ bytes: number }>(
    'select octet_length(body) as bytes from webhook_events where session_id = $1',
    [session.id],
  );
  return rows.map(({ bytes }) => bytes);
}

const nested = (bytes: number) => `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`;
const wide = (bytes: number) => `[${'{},'.repeat(bytes / 3)}{}]`;
const hostile = (head: string, payload: string) => `{${head}"payload":${payload}}`;
const named = (name: string) => `"id":"evt_1","timestamp":1,"event":"message","session":"${name}",`;

describe('a large webhook body', () => {
  it.each<[string, () => string, string]>([
    ['deeply nested, of a session of ours', () => hostile(named(session.wahaName), nested(9 * MIB)), '401'],
    ['with millions of objects, of a session of ours', () => hostile(named(session.wahaName), wide(9 * MIB)), '401'],
    ['of a session that nobody has', () => hostile(named('sb_made_up'), nested(9 * MIB)), '404'],
    ['that names its session behind the payload', () => `{"payload":${wide(9 * MIB)},${named('x')}"a":1}`, '400'],
    ['of blanks', () => `{${' '.repeat(9 * MIB)}`, '400'],
    ['just above what may be parsed', () => hostile(named(session.wahaName), nested(SMALL_BYTES + 2)), '401'],
  ])('that is forged is refused without being parsed: %s', async (_what, body, status) => {
    const { outcome, longest } = await parsedBy(body(), 'forged');
    expect(outcome).toContain(status);
    expect(longest).toBeLessThan(SMALL_BYTES);
    expect(await storedBodies()).toEqual([]);
  });

  it('that is genuine is taken, whole', async () => {
    const media = { mimetype: 'image/jpeg', data: 'A'.repeat(8 * MIB) };
    const payload = { ...inbound('BIG'), hasMedia: true, media };
    const more = { metadata: { shop: 'x' }, me: { id: '5511999990000@c.us' }, payload };
    const body = envelope(session, 'message', more);
    expect((await post(body, session.secret)).outcome).toBe('200');
    expect(await storedBodies()).toEqual([body.length]);
  });

  it('that is pretty-printed, with its session after id, time and event, is taken too', async () => {
    const flat = envelope(session, 'message', { payload: { ...inbound('PRETTY'), filler: 'x'.repeat(100_000) } });
    const body = JSON.stringify(JSON.parse(flat), null, 2);
    expect((await post(body, session.secret)).outcome).toBe('200');
  });

  it('that is signed for one session and names another one later is refused: it is stored for neither', async () => {
    const before = await storedBodies();
    const payload = JSON.stringify('x'.repeat(100_000));
    for (const name of [other.wahaName, 'sb_made_up']) {
      const body = `{${named(session.wahaName)}"payload":${payload},"session":"${name}"}`;
      expect((await post(body, session.secret)).outcome).toBe('401 AUTHENTICATION_FAILED');
    }
    expect(await storedBodies()).toEqual(before);
    const { rows } = await app.owner.query('select from webhook_events where session_id = $1', [other.id]);
    expect(rows).toEqual([]);
  });

  it('that is signed and no event is refused for that', async () => {
    const body = hostile(named(session.wahaName), '"x"'.padEnd(100_000)).slice(0, -1);
    expect((await post(body, session.secret)).outcome).toBe('400 VALIDATION_FAILED');
  });
});
