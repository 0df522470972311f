import { newId } from '../../src/common/ids';
import type { LaneJob, UnsettledAttempt } from '../../src/modules/messages/lanes/lane-job';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import { type Outcome, sent } from '../../src/modules/messages/lanes/outcome';
import { SessionsRepository } from '../../src/modules/waha/sessions.repository';
import type { TestSession } from '../support/factories';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { envelope, inbound, signed } from '../support/webhooks';
import { historyOf, type WireMessage } from '../support/whatsapp';

const ALICE = '5511888880000@c.us';

let app: TestApp;
let admin: LoggedIn;
let store: LaneStore;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
  store = app.app.get(LaneStore);
});

afterAll(() => app.close());

const shown = async (id: string) => (await admin.http.get<WireMessage>(`/messages/${id}`)).body;
const stateOf = async (id: string) => {
  const { status, error_code, retryable } = await shown(id);
  return [status, error_code, retryable];
};

/** Posts the event and waits until it was applied. */
async function tell(session: TestSession, event: string, payload: object): Promise<void> {
  const body = envelope(session, event, { payload });
  expect((await app.anybody.post('/webhooks/waha', body, signed(session.secret, body))).status).toBe(200);
  await eventually(async () => {
    const { rows } = await app.owner.query(`select from webhook_events where session_id = $1 and status = 'pending'`, [
      session.id,
    ]);
    return rows.length === 0;
  });
}

/** The message as the lane that sends it knows it; nobody holds the lane. */
const jobOf = (session: TestSession, id: string): LaneJob => ({
  tenant_id: session.tenantId,
  session_id: session.id,
  waha_name: session.wahaName,
  server_id: newId(),
  id,
  chat: ALICE,
  type: 'text',
  body: 'x',
  content: {},
  wa_id: null,
  burned: 0,
  is_new: false,
  strikes: 0,
  epoch: '0',
});
const unsettled = (session: TestSession, id: string) =>
  ({ tenant_id: session.tenantId, id, attempts: 1 }) as UnsettledAttempt;

const outcome = (status: Outcome['status'], more: Partial<Outcome> = {}): Outcome => ({
  ...sent(null),
  status,
  errorCode: 'WAHA_TIMEOUT',
  delayMs: 300,
  ...more,
});

describe("WhatsApp's refusal", () => {
  const REFUSED = ['failed', 'ACK_ERROR', true];
  const ack = (session: TestSession, level: number) =>
    tell(session, 'message.ack', { id: `true_${ALICE}_WA`, fromMe: true, ack: level });

  it('stands against the answer of its send, an echo and a first ack that come later; a delivery lifts it', async () => {
    const session = await app.make.session(app.tenantId);
    const id = await app.make.message(session, { wa_id: 'WA', status: 'sending', attempts: 1 });
    await ack(session, -1);
    expect(await stateOf(id)).toEqual(REFUSED);
    await store.finish(jobOf(session, id), 1, sent('WA'));
    expect(await stateOf(id)).toEqual(REFUSED);
    await ack(session, 1);
    expect(await stateOf(id)).toEqual(REFUSED);
    await tell(session, 'message.any', { ...inbound('WA'), id: `true_${ALICE}_WA`, fromMe: true, ack: 1 });
    expect(await stateOf(id)).toEqual(REFUSED);
    expect(await historyOf(admin.http, id)).toEqual(['queued', 'failed']);
    await ack(session, 2);
    expect(await stateOf(id)).toEqual(['delivered', null, null]);
    expect(await historyOf(admin.http, id)).toEqual(['queued', 'failed', 'delivered']);
  });

  it('that is not the last word about another failure: an ack lifts that one', async () => {
    const session = await app.make.session(app.tenantId);
    const failed = { wa_id: 'WA', status: 'failed', attempts: 8, error_code: 'ATTEMPTS_EXHAUSTED', retryable: true };
    const id = await app.make.message(session, failed);
    await ack(session, 1);
    expect(await stateOf(id)).toEqual(['sent', null, null]);
  });
});

describe('a session that is deleted with an attempt open', () => {
  const remove = (session: TestSession) =>
    app.app.get(SessionsRepository).markDeleted(session.tenantId, session.id, () => Promise.resolve());
  /** Parked and not WORKING: none of the service's own loops touch it. */
  const made = () => app.make.session(app.tenantId, { status: 'STOPPED' });
  const sending = (session: TestSession, more: object = {}) =>
    app.make.message(session, { status: 'sending', attempts: 1, attempted_at: new Date(), ...more });
  const LATER = new Date(Date.now() + 3_600_000);

  async function endOf(id: string): Promise<unknown[]> {
    const { rows } = await app.owner.query<{ status: string; settle_at: Date | null; next_attempt_at: Date | null }>(
      'select status, settle_at, next_attempt_at from messages where id = $1',
      [id],
    );
    return [rows[0]?.status, rows[0]?.settle_at, rows[0]?.next_attempt_at];
  }
  const CANCELLED = ['cancelled', null, null];
  const UNKNOWN = ['unknown', null, null];

  it.each<[string, Outcome, unknown[]]>([
    ['was to be tried again', outcome('queued'), CANCELLED],
    ['waited for its server', outcome('queued', { lane: 'wait' }), CANCELLED],
    ['found the session not ready', outcome('queued', { lane: 'park' }), CANCELLED],
    ['came to nothing that is known', outcome('unknown'), UNKNOWN],
    ['was sent', sent('WA'), ['sent', null, null]],
  ])('ends it: one that %s', async (_what, result, end) => {
    const session = await made();
    const id = await sending(session);
    await remove(session);
    await store.finish(jobOf(session, id), 1, result);
    expect(await endOf(id)).toEqual(end);
    expect((await historyOf(admin.http, id)).at(-1)).toBe(end[0]);
  });

  it('asks no more what became of one whose outcome is unknown, nor of one whose worker died', async () => {
    const session = await made();
    const unknown = await sending(session, { status: 'unknown', settle_at: LATER });
    const lost = await sending(session, { chat: '5511888880001@c.us' });
    await app.owner.query(`update lanes set owner = $2, lease_until = $3 where session_id = $1`, [
      session.id,
      newId(),
      LATER,
    ]);
    await remove(session);
    expect(await endOf(unknown)).toEqual(UNKNOWN);
    await eventually(async () => expect(await endOf(lost)).toEqual(UNKNOWN));
    await store.settle(unsettled(session, unknown), { status: 'queued', note: 'WAHA does not know the message' });
    expect(await endOf(unknown)).toEqual(CANCELLED);
  });

  it.each<[string, object, (session: TestSession, id: string) => Promise<void>]>([
    ['outcome', {}, (session, id) => store.finish(jobOf(session, id), 1, outcome('queued'))],
    [
      'settlement',
      { status: 'unknown', settle_at: LATER },
      (session, id) => store.settle(unsettled(session, id), { status: 'queued', note: 'not found' }),
    ],
  ])('queues nothing when its %s is written at the very moment of the deletion', async (_what, columns, write) => {
    const session = await made();
    const id = await sending(session, columns);
    await app.owner.query('begin');
    await app.owner.query(`update lanes set state = 'closed', next_at = null where session_id = $1`, [session.id]);
    await app.owner.query(`update messages set settle_at = null where session_id = $1 and status = 'unknown'`, [
      session.id,
    ]);
    const written = write(session, id);
    await eventually(async () => {
      const { rows } = await app.owner.query(
        `select from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'`,
      );
      return rows.length > 0;
    });
    await app.owner.query(`update messages set status = 'cancelled' where session_id = $1 and status = 'queued'`, [
      session.id,
    ]);
    await app.owner.query('commit');
    await written;
    expect(await endOf(id)).toEqual(CANCELLED);
  });
});

describe('the name that WAHA gives a message', () => {
  const RESERVED = { wa_id: 'RESERVED', wa_id_reserved: true };
  const ack = (session: TestSession, waId: string) =>
    tell(session, 'message.ack', { id: `true_${ALICE}_${waId}`, fromMe: true, ack: 2 });
  const namesOf = async (id: string) => {
    const text = 'select wa_id, wa_id_reserved from messages where id = $1';
    return (await app.owner.query<{ wa_id: string; wa_id_reserved: boolean }>(text, [id])).rows[0];
  };

  it('in its answer counts, whatever was reserved: acks find it under that', async () => {
    const session = await app.make.session(app.tenantId);
    const id = await app.make.message(session, { ...RESERVED, status: 'sending', attempts: 1 });
    await store.finish(jobOf(session, id), 1, sent('THEIRS'));
    expect(await namesOf(id)).toEqual({ wa_id: 'THEIRS', wa_id_reserved: false });
    await ack(session, 'THEIRS');
    expect(await stateOf(id)).toEqual(['delivered', null, null]);
  });

  it('is the reserved one where WAHA says so, or says nothing, or the name is another message’s', async () => {
    const session = await app.make.session(app.tenantId);
    await app.make.message(session, { wa_id: 'ANOTHER', status: 'sent' });
    for (const [nth, said] of ['RESERVED0', null, 'ANOTHER'].entries()) {
      const reserved = { wa_id: `RESERVED${nth}`, wa_id_reserved: true };
      const id = await app.make.message(session, { ...reserved, status: 'sending', attempts: 1 });
      await store.finish(jobOf(session, id), 1, sent(said));
      expect(await namesOf(id)).toEqual(reserved);
    }
  });

  it('in the answer to the settlement counts too', async () => {
    const session = await app.make.session(app.tenantId);
    const id = await app.make.message(session, { ...RESERVED, type: 'image', status: 'unknown', attempts: 1 });
    await store.settle(unsettled(session, id), { status: 'sent', waId: 'THEIRS', note: 'WAHA knows the message' });
    expect(await namesOf(id)).toEqual({ wa_id: 'THEIRS', wa_id_reserved: false });
  });
});
