import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/wait';
import type { WahaCall } from '../support/waha-proxy';
import { becomes, historyOf, send, type WireMessage } from '../support/whatsapp';
import { type MediaWorld, MP4, newChat, OGG, PNG, startMediaWorld } from './media.harness';

const FILE_TIMEOUT_MS = 1_500;
const WAHA_TIMEOUT_MS = 600;

let world: MediaWorld;
let url: string;

// NOWEB, which reserves ids: for texts, and not for files.
beforeAll(async () => {
  const times = { WAHA_TIMEOUT_MS: String(WAHA_TIMEOUT_MS), WAHA_FILE_TIMEOUT_MS: String(FILE_TIMEOUT_MS) };
  world = await startMediaWorld(times);
  ({ url } = world.origin.file('/photo.png', PNG));
});

afterEach(async () => {
  world.proxy.spoil(() => undefined);
  await world.app.simulator.call('DELETE', '/simulator/faults');
});

afterAll(() => world.close());

const isFileCall = ({ path }: WahaCall) => /^\/api\/send(?:Image|File|Voice|Video)$/.test(path);
const callsFor = ({ chat }: WireMessage) =>
  world.proxy.calls.filter((call) => isFileCall(call) && call.body.includes(`"${chat}"`));
/** All that the session has of the chat, echoes that found no message included. */
const rowsOf = async ({ chat }: WireMessage) =>
  (await world.admin.http.get<WireMessage[]>(`/messages?chat=${encodeURIComponent(chat)}`)).body;
const laneState = async () => {
  const text = 'select state from lanes where session_id = $1';
  return (await world.app.owner.query<{ state: string }>(text, [world.session.id])).rows[0]?.state;
};
const never = () => new Promise<never>(() => undefined);

describe('a file', () => {
  it.each([
    ['image', PNG],
    ['file', Buffer.from('The terms.')],
    ['voice', OGG],
    ['video', MP4],
  ])('sent as %s goes by the name that WAHA gives it: echo and acks find it', async (type, bytes) => {
    const message = await world.sendMedia(type, { url: world.origin.file(`/${type}`, bytes).url });
    await becomes(world.admin.http, message.id, 'read');
    expect(callsFor(message).map(({ body }) => body.includes('"id"'))).toEqual([false]);
    const [arrived] = await world.arrivedAt(message);
    const { rows } = await world.app.owner.query('select wa_id, wa_id_reserved from messages where id = $1', [
      message.id,
    ]);
    expect(rows).toEqual([{ wa_id: arrived?.id, wa_id_reserved: false }]);
    expect(await rowsOf(message)).toHaveLength(1);
  });

  it('whose call is not answered is looked for in its chat, and not sent again', async () => {
    await world.app.simulator.call('PUT', '/simulator/faults', { webhooks: { lose_rate: 1 } });
    world.proxy.spoil((call) => (isFileCall(call) ? { after: never } : undefined));
    const message = await world.sendMedia('image', { url });
    await becomes(world.admin.http, message.id, 'unknown');
    await becomes(world.admin.http, message.id, 'sent', 'delivered', 'read');
    expect(await world.arrivedAt(message)).toHaveLength(1);
    expect(callsFor(message)).toHaveLength(1);
  });

  it.each([
    ['is not answered and never came there', 'hang' as const],
    ['is answered with an error', { status: 500, body: { message: 'boom' } }],
  ])('whose call %s stays unknown, lets its chat go on, and is not sent again', async (_what, spoiled) => {
    world.proxy.spoil((call) => (isFileCall(call) ? spoiled : undefined));
    const message = await world.sendMedia('image', { url });
    const next = await send(world.admin.http, { session_id: world.session.id, to: message.chat, text: 'next' });
    await becomes(world.admin.http, message.id, 'unknown');
    world.proxy.spoil(() => undefined);
    await becomes(world.admin.http, next.id, 'read');
    expect(await historyOf(world.admin.http, message.id)).toEqual(['queued', 'sending', 'unknown', 'unknown']);
    expect(callsFor(message)).toHaveLength(1);
    expect((await world.arrivedAt(message)).map(({ text }) => text)).toEqual(['next']);
  });

  it('may take longer than other calls', async () => {
    await world.app.simulator.call('PUT', '/simulator/faults', { webhooks: { lose_rate: 1 } });
    const slowly = () => sleep(WAHA_TIMEOUT_MS + 300); // the time of a call, which is what this is about
    world.proxy.spoil((call) => (isFileCall(call) ? { after: slowly } : undefined));
    const message = await world.sendMedia('image', { url });
    await becomes(world.admin.http, message.id, 'sent');
    expect(callsFor(message)).toHaveLength(1);
    expect(await historyOf(world.admin.http, message.id)).toEqual(['queued', 'sending', 'sent']);
  });

  it('is not looked at where its session does not work: nothing becomes unknown', async () => {
    world.proxy.spoil(({ method, path }) =>
      method === 'GET' && path === `/api/sessions/${world.session.waha_name}`
        ? { status: 200, body: { name: world.session.waha_name, status: 'STARTING' } }
        : undefined,
    );
    const message = await world.sendMedia('image', { url });
    await eventually(async () => (await laneState()) === 'parked', { what: 'the lane parked' });
    expect(callsFor(message)).toEqual([]);
    world.proxy.spoil(() => undefined);
    await world.app.owner.query(`update lanes set state = 'open', next_at = now() where session_id = $1`, [
      world.session.id,
    ]);
    expect(await becomes(world.admin.http, message.id, 'read')).toMatchObject({ attempts: 1 });
  });
});

describe('a file for which an id was reserved, before this was known', () => {
  /** As such a version left it: its file is here, and it is under way. */
  async function left(status: 'queued' | 'unknown'): Promise<WireMessage> {
    const to = newChat();
    const later = new Date(Date.now() + 3_600_000);
    const media = { url, caption: `left ${status}` };
    const message = await send(world.admin.http, {
      ...{ session_id: world.session.id, to, type: 'image', media, scheduled_at: later },
    });
    await eventually(async () => (await world.mediaRow(message.id))?.state === 'stored', { what: 'the file' });
    await world.app.owner.query(
      `update messages set status = $2, scheduled_at = null, wa_id = 'RESERVED_' || id, wa_id_reserved = true, attempts = 1, burned = 1,
        next_attempt_at = null, attempted_at = clock_timestamp() - interval '1 minute', error_code = 'WAHA_TIMEOUT',
        settle_at = case when $2 = 'unknown' then clock_timestamp() end where id = $1`,
      [message.id, status],
    );
    await world.app.owner.query(
      `insert into message_events (tenant_id, message_id, at, status, attempt) values ($1, $2, now() - interval '50 seconds', 'unknown', 1)`,
      [world.app.tenantId, message.id],
    );
    await world.app.owner.query(`update lanes set next_at = now() where session_id = $1`, [world.session.id]);
    return message;
  }

  it('and that waits is sent under the name that WAHA gives it', async () => {
    const message = await left('queued');
    await becomes(world.admin.http, message.id, 'read');
    expect(await world.arrivedAt(message)).toHaveLength(1);
    expect(await rowsOf(message)).toHaveLength(1);
  });

  it('and of which nothing was heard is not sent again, though WAHA does not know that id', async () => {
    const message = await left('unknown');
    await eventually(async () => (await historyOf(world.admin.http, message.id)).at(-2) === 'unknown');
    expect(callsFor(message)).toEqual([]);
    expect((await rowsOf(message))[0]).toMatchObject({ status: 'unknown', attempts: 1 });
  });
});
