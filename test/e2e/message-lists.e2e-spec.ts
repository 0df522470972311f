import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import type { WireMessage } from '../support/whatsapp';

const ALICE = '5511888880000@c.us';

describe('lists of messages', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    const [one, two] = [await app.make.session(app.tenantId), await app.make.session(app.tenantId)];
    const start = Date.parse('2026-01-01T00:00:00Z');
    for (let i = 0; i < 250; i += 1) {
      await app.make.message(i % 5 === 0 ? two : one, {
        body: `message ${i}`,
        chat: i % 2 === 0 ? ALICE : '98765432109876@lid',
        direction: i % 10 === 3 ? 'inbound' : 'outbound',
        status: i % 10 === 3 ? 'received' : i % 10 === 4 ? 'failed' : 'cancelled',
        type: i % 25 === 0 ? 'image' : 'text',
        created_by: i % 7 === 0 ? admin.userId : null,
        created_at: new Date(start + i * 1000),
      });
    }
    sessions = [one.id, two.id];
  });

  afterAll(() => app.close());

  let sessions: string[];

  /** Follows the links from the first page to the last. */
  async function all(query: string): Promise<{ bodies: (string | null)[]; pages: number; totals: Set<string | null> }> {
    const walked = { bodies: [] as (string | null)[], pages: 0, totals: new Set<string | null>() };
    for (let next: string | undefined = `/messages?${query}`; next; walked.pages += 1) {
      const page = await admin.http.get<WireMessage[]>(next);
      expect(page.status).toBe(200);
      walked.totals.add(page.headers.get('x-total-count'));
      walked.bodies.push(...page.body.map(({ text }) => text));
      next = nextOf(page.headers.get('link'));
    }
    return walked;
  }
  const newestFirst = (keep: (i: number) => boolean) =>
    Array.from({ length: 250 }, (_, i) => 249 - i)
      .filter(keep)
      .map((i) => `message ${i}`);

  it('are paged by cursor through 250 without gap or double, and counted when asked', async () => {
    const { bodies, pages, totals } = await all('limit=37&count=true');
    expect(bodies).toEqual(newestFirst(() => true));
    expect([pages, [...totals]]).toEqual([7, ['250']]);
    expect([...(await all('limit=100')).totals]).toEqual([null]);
  });

  it('stand still for a reader while new messages come', async () => {
    const first = await admin.http.get<WireMessage[]>('/messages?limit=10');
    const [row] = (await app.owner.query<{ tenant_id: string; session_id: string }>('select * from messages limit 1'))
      .rows;
    const made = { tenantId: row?.tenant_id ?? '', id: row?.session_id ?? '', wahaName: '', secret: '' };
    const extra = await app.make.message(made, { body: 'new', status: 'cancelled' });
    const second = await admin.http.get<WireMessage[]>(nextOf(first.headers.get('link')) ?? '');
    await app.owner.query('delete from messages where id = $1', [extra]);
    expect(second.body[0]?.text).toBe('message 239');
  });

  it.each<[string, (i: number) => boolean]>([
    ['direction=inbound', (i) => i % 10 === 3],
    ['direction=outbound&status=failed', (i) => i % 10 === 4],
    ['type=image', (i) => i % 25 === 0],
    ['chat=%2B55%2011%2088888-0000', (i) => i % 2 === 0],
    ['chat=5511888880000', (i) => i % 2 === 0],
    ['chat=98765432109876@lid&type=image', (i) => i % 2 === 1 && i % 25 === 0],
    ['from=2026-01-01T00:01:00Z&to=2026-01-01T00:02:00Z', (i) => i >= 60 && i < 120],
    ['from=2026-01-01T01:01:00%2B01:00&to=2026-01-01T00:02:00Z', (i) => i >= 60 && i < 120],
    ['status=sending', () => false],
  ])('are narrowed by %s', async (query, keep) => {
    const { bodies, totals } = await all(`limit=100&count=true&${query}`);
    expect(bodies).toEqual(newestFirst(keep));
    expect([...totals]).toEqual([String(bodies.length)]);
  });

  it.each<[string, (i: number) => boolean]>([
    ['', () => true],
    ['&direction=inbound', (i) => i % 10 === 3],
    ['&direction=outbound', (i) => i % 10 !== 3],
    ['&status=received', (i) => i % 10 === 3],
    ['&status=received&direction=outbound', () => false],
    ['&status=failed', (i) => i % 10 === 4],
    ['&status=failed&direction=outbound&from=2026-01-01T00:02:00Z', (i) => i % 10 === 4 && i >= 120],
    ['&status=failed&direction=inbound', () => false],
    ['&status=sending', () => false],
    ['&direction=outbound&type=image', (i) => i % 10 !== 3 && i % 25 === 0],
  ])('are narrowed to a session%s, by pages and counted', async (query, keep) => {
    for (const [session, its] of [
      [sessions[0], (i: number) => i % 5 !== 0],
      [sessions[1], (i: number) => i % 5 === 0],
    ] as const) {
      const expected = newestFirst((i) => its(i) && keep(i));
      for (const way of ['limit=17', 'limit=17&offset=0']) {
        const { bodies, totals } = await all(`${way}&count=true&session_id=${session}${query}`);
        expect([way, bodies, [...totals]]).toEqual([way, expected, [String(expected.length)]]);
      }
    }
  });

  it('of a session that nobody has are empty', async () => {
    expect((await all('session_id=01890000-0000-7000-8000-000000000001')).bodies).toEqual([]);
  });

  it.each([
    'status=sleeping',
    'direction=up',
    'chat=nobody',
    'from=yesterday',
    'limit=0',
    'type=%00',
    'cursor=x',
    'cursor=01890000-0000-7000-8000-000000000001.0',
    'cursor=01890000-0000-7000-8000-000000000001.10001',
    'offset=1&cursor=01890000-0000-7000-8000-000000000001',
    'x=1',
  ])('are refused for %s: 400', async (query) => {
    expect((await admin.http.get(`/messages?${query}`)).outcome).toBe('400 VALIDATION_FAILED');
  });
});

const nextOf = (link: string | null): string | undefined => /^<([^>]+)>; rel="next"$/.exec(link ?? '')?.[1];
