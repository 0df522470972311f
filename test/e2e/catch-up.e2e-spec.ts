import { setTimeout as sleep } from 'node:timers/promises';
import { WebhookDoor } from '../../src/modules/webhooks/webhook-door.service';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { becomes, send, workingSession, type WireMessage, type WireSession } from '../support/whatsapp';
import { eventually } from '../support/wait';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterEach(() => app.simulator.delete('/simulator/faults'));

afterAll(() => app.close());

const business = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());
const writes = ({ waha_name }: WireSession, from: string, text: string) =>
  app.simulator.post(`/simulator/sessions/${waha_name}/inbound`, { from, text });
const deaf = () => app.simulator.call('PUT', '/simulator/faults', { webhooks: { lose_rate: 1 } });

const inbound = async ({ http }: LoggedIn): Promise<(string | null)[]> =>
  (await http.get<WireMessage[]>('/messages?direction=inbound&limit=100')).body.map(({ text }) => text).reverse();

const state = async (session: WireSession) =>
  (
    await app.owner.query<{ catch_up_from: Date | null; catch_up_at: Date | null }>(
      'select catch_up_from, catch_up_at from sessions where id = $1',
      [session.id],
    )
  ).rows[0];

/** Seconds since the time until which nothing is missing. */
const caughtUpAgo = async ({ id }: WireSession): Promise<number> => {
  const { rows } = await app.owner.query<{ ago: number }>(
    'select coalesce(extract(epoch from now() - caught_up_to), 1e9)::float8 as ago from sessions where id = $1',
    [id],
  );
  return rows[0]?.ago ?? Infinity;
};

/** As if nobody had stood at the door for so long. */
async function absent(seconds: number): Promise<number> {
  await app.owner.query(`update webhook_door set open_at = now() - $1::int * interval '1 second'`, [seconds]);
  return app.app.get(WebhookDoor).keepOpen();
}

describe('messages that no event told of', () => {
  it('are asked for after an absence, each stored once and in order', async () => {
    const user = await business();
    const session = await workingSession(app, user.http);
    await writes(session, '5511888880001', 'known');
    await eventually(async () => (await inbound(user)).length === 1, { what: 'the first to come in' });
    await deaf();
    const texts = Array.from({ length: 130 }, (_, n) => `missed ${n}`);
    for (const text of texts) await writes(session, '5511888880002', text);
    await app.simulator.delete('/simulator/faults');
    expect(await absent(40)).toBeGreaterThan(0);
    expect(await absent(10)).toBe(0);
    await eventually(async () => (await state(session))?.catch_up_from === null, { what: 'it to have caught up' });
    const { rows } = await app.owner.query<{ body: string }>(
      `select body from messages where session_id = $1 and direction = 'inbound' order by id`,
      [session.id],
    );
    expect(rows.map(({ body }) => body).slice(0, 2)).toEqual(['known', 'missed 0']);
    expect(new Set(rows.map(({ body }) => body))).toEqual(new Set(['known', ...texts]));
    expect(rows).toHaveLength(131);
    expect(await absent(40)).toBeGreaterThan(0);
    await eventually(async () => (await state(session))?.catch_up_at === null, { what: 'it to have caught up again' });
    expect(await inbound(user)).toHaveLength(100);
    const again = await app.owner.query('select 1 from messages where session_id = $1', [session.id]);
    expect(again.rowCount).toBe(131);
  }, 40_000);

  it('are asked for when a session works again, with what became of our own', async () => {
    const user = await business();
    const session = await workingSession(app, user.http);
    const message = await send(user.http, { to: '5511888880003', text: 'ours' });
    await becomes(user.http, message.id, 'read');
    await deaf();
    await writes(session, '5511888880003', 'while it was away');
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/phone-send`, {
      to: '5511888880003',
      text: 'on the phone',
    });
    await app.simulator.delete('/simulator/faults');
    expect((await user.http.post(`/waha/sessions/${session.id}/restart`)).status).toBe(200);
    await eventually(async () => (await inbound(user)).includes('while it was away'), {
      what: 'what was missed',
      timeoutMs: 15_000,
    });
    const sent = (await user.http.get<WireMessage[]>('/messages?direction=outbound')).body;
    expect(sent.map(({ text, source }) => [text, source]).sort()).toEqual([
      ['on the phone', 'app'],
      ['ours', 'api'],
    ]);
  }, 30_000);

  it('wait while WAHA is away, and are asked for again', async () => {
    const user = await business();
    const session = await workingSession(app, user.http);
    await deaf();
    await writes(session, '5511888880004', 'late');
    await app.simulator.call('PUT', '/simulator/faults', { error_rate: 1 });
    await absent(60);
    await eventually(async () => ((await state(session))?.catch_up_at?.getTime() ?? 0) > Date.now() + 30_000, {
      what: 'the first try',
    });
    expect((await state(session))?.catch_up_from).not.toBeNull();
    await app.simulator.delete('/simulator/faults');
    await app.owner.query('update sessions set catch_up_at = now() where id = $1', [session.id]);
    await eventually(async () => (await inbound(user)).includes('late'), { what: 'what was missed' });
  }, 30_000);

  it('are asked for every ten minutes, though nobody noticed a gap: a way from WAHA to us that is blocked is seen by neither', async () => {
    const user = await business();
    const session = await workingSession(app, user.http);
    await eventually(async () => (await state(session))?.catch_up_from === null, { what: 'nothing to be missing' });
    await deaf();
    await writes(session, '5511888880005', 'nobody told');
    await app.simulator.delete('/simulator/faults');
    await app.owner.query(
      `update sessions set working_since = now() - interval '9 minutes', caught_up_to = null where id = $1`,
      [session.id],
    );
    await sleep(2_500);
    expect(await inbound(user)).toEqual([]);
    await app.owner.query(`update sessions set caught_up_to = now() - interval '11 minutes' where id = $1`, [
      session.id,
    ]);
    await eventually(async () => (await inbound(user)).includes('nobody told'), { what: 'what nobody told' });
    await eventually(async () => (await caughtUpAgo(session)) < 30, { what: 'it to be known that nothing is missing' });
    expect((await state(session))?.catch_up_at).toBeNull();
  }, 30_000);

  it('of a long gap are read in pieces, the oldest first; what was read is not read again', async () => {
    const user = await business();
    const session = await workingSession(app, user.http);
    await deaf();
    await writes(session, '5511888880006', 'of the last piece');
    await app.simulator.delete('/simulator/faults');
    const seen: Date[] = [];
    await app.owner.query(
      `update sessions set catch_up_from = now() - interval '60 hours', catch_up_at = now() where id = $1`,
      [session.id],
    );
    await eventually(
      async () => {
        const from = (await state(session))?.catch_up_from;
        if (from) seen.push(from);
        return from === null;
      },
      { what: 'it to have caught up', everyMs: 1 },
    );
    expect(await inbound(user)).toEqual(['of the last piece']);
    expect(new Set(seen.map((at) => at.getTime())).size).toBeGreaterThan(1);
    expect([...seen].sort((a, b) => a.getTime() - b.getTime())).toEqual(seen);
  }, 30_000);
});
