import { v7 } from 'uuid';
import { MessagesRepository } from '../../src/modules/messages/messages.repository';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import type { TestSession } from '../support/factories';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import type { WireMessage } from '../support/whatsapp';

const MINUTE = 60_000;
const FROM = new Date('2026-03-01T12:00:00.000Z');
const TO = new Date('2026-03-01T13:00:00.000Z');

let app: TestApp;
let admin: LoggedIn;
let session: TestSession;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
  session = await app.make.session(app.tenantId);
});

afterAll(() => app.close());

/** A message of that time whose id was made by a clock that goes ahead by so much (behind, when negative). */
const made = (body: string, at: number, aheadMs: number) =>
  app.make.message(session, {
    id: v7({ msecs: at + aheadMs }),
    body,
    created_at: new Date(at),
    status: 'cancelled',
  });

async function textsOf(query: string): Promise<(string | null)[]> {
  const { status, body } = await admin.http.get<WireMessage[]>(`/messages?${query}`);
  expect(status).toBe(200);
  return body.map(({ text }) => text).sort();
}

describe('a span of time', () => {
  it('has what was accepted at its beginning and not at its end, whatever the clock that made the id', async () => {
    for (const [clock, aheadMs] of [
      ['right', 0],
      ['a minute ahead', MINUTE],
      ['a minute behind', -MINUTE],
    ] as const) {
      await made(`before, ${clock}`, FROM.getTime() - 1, aheadMs);
      await made(`at from, ${clock}`, FROM.getTime(), aheadMs);
      await made(`within, ${clock}`, FROM.getTime() + 30 * MINUTE, aheadMs);
      await made(`last, ${clock}`, TO.getTime() - 1, aheadMs);
      await made(`at to, ${clock}`, TO.getTime(), aheadMs);
    }
    const clocks = ['a minute ahead', 'a minute behind', 'right'];
    const named = (...names: string[]) => names.flatMap((name) => clocks.map((clock) => `${name}, ${clock}`)).sort();
    const [from, to] = [`from=${FROM.toISOString()}`, `to=${TO.toISOString()}`];
    expect(await textsOf(`${from}&${to}`)).toEqual(named('at from', 'within', 'last'));
    expect(await textsOf(from)).toEqual(named('at from', 'within', 'last', 'at to'));
    expect(await textsOf(to)).toEqual(named('before', 'at from', 'within', 'last'));
    const counted = await admin.http.get(`/messages?${from}&${to}&count=true&limit=1`);
    expect(counted.headers.get('x-total-count')).toBe('9');
  });

  it.each([
    ['from=0001-01-01T00:00:00Z', 15],
    ['to=0001-01-01T00:00:00Z', 0],
    ['from=9999-12-31T23:59:59Z', 0],
    ['to=9999-12-31T23:59:59Z', 15],
  ])('may begin or end beyond all ids: %s', async (query, count) => {
    expect(await textsOf(`limit=100&${query}`)).toHaveLength(count);
  });

  it('is looked up by the index of ids, so that it does not read all that is newer', async () => {
    const asked = jest.spyOn(app.app.get(TenantDatabase), 'queryOnce');
    const repository = app.app.get(MessagesRepository);
    await repository.list(app.tenantId, { from: FROM, to: TO }, { limit: 10 });
    await repository.count(app.tenantId, { from: FROM, to: TO }, 100);
    const calls = asked.mock.calls.map(([, text, params]) => ({ text, params }));
    asked.mockRestore();
    expect(calls).toHaveLength(2);
    await app.owner.query('analyze messages');
    await app.owner.query('set enable_seqscan = off');
    for (const { text, params } of calls) {
      const { rows } = await app.owner.query<Record<string, string>>(`explain ${text}`, params);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index Cond: .*id >= .* AND \(id < /);
    }
  });
});
