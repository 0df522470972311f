import { newId } from '../../src/common/ids';
import type { TestSession } from '../support/factories';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import type { WireMessage } from '../support/whatsapp';

const ALICE = '5511888880000@c.us';

describe('looking for messages', () => {
  let app: TestApp;
  let admin: LoggedIn;
  let session: TestSession;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    session = await app.make.session(app.tenantId);
    const texts = [
      'Your Order is READY',
      'your order is late',
      'ready, steady',
      '50% off',
      '500 off',
      'Größe_L ist da',
      null,
    ];
    for (const [n, body] of texts.entries())
      await app.make.message(session, { body, status: 'cancelled', chat: n < 2 ? ALICE : '5511888880001@c.us' });
  });

  afterAll(() => app.close());

  const texts = async (query: string) =>
    (await admin.http.get<WireMessage[]>(`/messages?${query}`)).body.map(({ text }) => text);

  it.each<[string, (string | null)[]]>([
    ['q=order', ['your order is late', 'Your Order is READY']],
    ['q=ready+order', ['Your Order is READY']],
    ['q=READY', ['ready, steady', 'Your Order is READY']],
    ['q=50%25', ['50% off']],
    ['q=%C3%B6%C3%9Fe_l', ['Größe_L ist da']],
    ['q=_', ['Größe_L ist da']],
    ['q=nowhere', []],
    ['q=ready&chat=5511888880001', ['ready, steady']],
    ['q=order&limit=1&offset=1', ['Your Order is READY']],
  ])('finds each word anywhere in the text, in whatever case: %s', async (query, expected) => {
    expect(await texts(query)).toEqual(expected);
  });

  it('counts what was found, and pages through it', async () => {
    const first = await admin.http.get<WireMessage[]>('/messages?q=off&limit=1&count=true');
    expect([first.headers.get('x-total-count'), first.body.map(({ text }) => text)]).toEqual(['2', ['500 off']]);
    const second = await admin.http.get<WireMessage[]>(nextOf(first.headers.get('link')) ?? '');
    expect(second.body.map(({ text }) => text)).toEqual(['50% off']);
    expect(second.headers.get('link')).toBeNull();
  });

  it.each(['q=', 'q=%20', 'q=a+b+c+d+e+f+g+h+i+j+k', `q=${'x'.repeat(201)}`, 'q=%00'])(
    'is refused for %s: 400',
    async (query) => {
      const answer = await admin.http.get<{ details: { field: string }[] }>(`/messages?${query}`);
      expect([answer.outcome, answer.body.details[0]?.field]).toEqual(['400 VALIDATION_FAILED', 'q']);
    },
  );

  it('shows nobody the messages of another tenant', async () => {
    const other = await app.login('TENANT_ADMIN', await app.make.tenant());
    expect((await other.http.get('/messages?q=order')).body).toEqual([]);
  });

  describe('in a history that is too long to be looked through at once', () => {
    let busy: LoggedIn;

    beforeAll(async () => {
      busy = await app.login('TENANT_ADMIN', await app.make.tenant());
      const long = await app.make.session(busy.tenantId);
      for (const [n, body] of ['the needle', 'another needle'].entries())
        await app.make.message(long, { created_at: new Date(Date.UTC(2026, 0, 1 + n)), status: 'read', body });
      // Newer than both, in the order of their numbers.
      await app.owner.query(
        `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body)
          select $1, ('01f00000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $2, 'a@c.us', 'outbound', 'text', 'delivered',
            'hay ' || n from generate_series(1, 60000) n`,
        [busy.tenantId, long.id],
      );
      await app.owner.query('analyze messages');
    }, 60_000);

    it.each(['q=needle', 'status=read', 'q=needle&offset=0'])(
      'a page ends early, and the next one goes on: %s',
      async (query) => {
        const first = await busy.http.get<WireMessage[]>(`/messages?limit=1&count=true&${query}`);
        expect([first.status, first.body, first.headers.get('x-total-count')]).toEqual([200, [], '0+']);
        const found: (string | null)[] = [];
        for (let next = nextOf(first.headers.get('link')); next;) {
          const page = await busy.http.get<WireMessage[]>(next);
          found.push(...page.body.map(({ text }) => text));
          next = nextOf(page.headers.get('link'));
        }
        expect(found).toEqual(['another needle', 'the needle']);
      },
    );

    it.each([
      ['q=needle&offset=1', ['the needle']],
      ['q=needle&offset=2', []],
      ['q=hay&offset=9999', ['hay 50001', 'hay 50000']],
    ])('what is left of an offset is skipped on the next one: %s', async (query, expected) => {
      const found: (string | null)[] = [];
      let skipped = 0;
      for (let next: string | undefined = `/messages?limit=1&${query}`; next && found.length < 2;) {
        const page = await busy.http.get<WireMessage[]>(next);
        expect(page.status).toBe(200);
        found.push(...page.body.map(({ text }) => text));
        next = nextOf(page.headers.get('link'));
        skipped += page.body.length === 0 ? 1 : 0;
      }
      expect(found).toEqual(expected);
      expect(skipped > 0).toBe(query.includes('needle'));
    });

    it('a cursor with a rest skips it in a list that is read by an index, too', async () => {
      const [first] = (await busy.http.get<WireMessage[]>('/messages?limit=1')).body;
      const { body } = await busy.http.get<WireMessage[]>(`/messages?limit=2&cursor=${first?.id}.3`);
      expect(body.map(({ text }) => text)).toEqual(['hay 59996', 'hay 59995']);
    });

    it('what an index leads to is found at once, however old', async () => {
      const [row] = (await app.owner.query<{ id: string }>(`select id from messages where body = 'the needle'`)).rows;
      await app.owner.query(`update messages set status = 'failed', type = 'poll' where id = $1`, [row?.id]);
      for (const query of ['status=failed', 'type=poll']) {
        const { body, headers } = await busy.http.get<WireMessage[]>(`/messages?count=true&${query}`);
        expect([body.map(({ text }) => text), headers.get('x-total-count')]).toEqual([['the needle'], '1']);
      }
      expect((await busy.http.get<WireMessage[]>(`/messages?session_id=${newId()}`)).body).toEqual([]);
    });
  });
});

const nextOf = (link: string | null): string | undefined => /^<([^>]+)>; rel="next"$/.exec(link ?? '')?.[1];
