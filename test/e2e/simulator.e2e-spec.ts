import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/simulator';
import inboundFixture from '../fixtures/waha/message--text.json';
import { eventually } from '../support/wait';
import { callJson, keysOf, Receiver } from './simulator.harness';

const KEY = 'the-key-of-the-tests';
const HMAC_KEY = 'hmac-key-of-the-session';
const CHAT = '5511888880000@c.us';
const FAST = { start: 5, pair: 5, ackServer: 5, ackDevice: 10, ackRead: 15, reconnect: 20 };
const SHORT_WAITS = { statusWaitStopped: 20, statusWaitNotReady: 40 };

describe('the WAHA simulator', () => {
  let receiver: Receiver;
  let simulator: RunningSimulator;

  async function start(options: Partial<SimulatorOptions> = {}): Promise<void> {
    await simulator?.close();
    const timing = { ...FAST, ...SHORT_WAITS, ...options.timing };
    simulator = await startSimulator({ port: 0, apiKey: KEY, seed: 7, ...options, timing });
  }

  const call = (method: string, path: string, body?: unknown, more: { key?: string; accept?: string } = {}) => {
    const { key = KEY, ...headers } = more;
    return callJson({ method, url: simulator.url + path, body, headers: { 'x-api-key': key, ...headers } });
  };

  async function reach(name: string, status: string): Promise<void> {
    const isThere = async () => (await call('GET', `/api/sessions/${name}`)).body.status === status;
    await eventually(isThere, { what: `${name} ${status}` });
  }

  function config(webhook: Record<string, unknown> = {}) {
    const hook = { url: receiver.url, events: ['*'], hmac: { key: HMAC_KEY }, ...webhook };
    return { metadata: { tenant: 't1' }, noweb: { store: { enabled: true, fullSync: false } }, webhooks: [hook] };
  }

  async function work(name = 's1', webhook: Record<string, unknown> = {}): Promise<void> {
    await call('POST', '/api/sessions', { name, start: true, config: config(webhook) });
    await reach(name, 'SCAN_QR_CODE');
    await call('POST', `/simulator/sessions/${name}/scan`, {});
    await reach(name, 'WORKING');
  }

  const send = (extra: object = {}, timeoutMs = 5000) => {
    const body = { session: 's1', chatId: CHAT, text: 'hi', ...extra };
    const url = `${simulator.url}/api/sendText`;
    return callJson({ method: 'POST', url, body, headers: { 'x-api-key': KEY }, timeoutMs });
  };
  const sends = async (query = '') => (await call('GET', `/simulator/sends${query}`)).body as Array<{ text: string }>;
  const deliveries = async () => (await call('GET', '/simulator/webhooks')).body as Record<string, number>;
  const inbound = (extra: object) => {
    const body = { from: CHAT, text: 'Hello', ...extra };
    return call('POST', '/simulator/sessions/s1/inbound', body);
  };
  const faults = (body: object) => call('PUT', '/simulator/faults', body);

  beforeEach(async () => {
    receiver = await Receiver.start();
    await start();
  });
  afterEach(async () => {
    await simulator.close();
    await receiver.close();
  });

  it('wants the key on /api and /health only', async () => {
    const refused = await call('GET', '/api/sessions', undefined, { key: 'no' });
    expect(refused).toMatchObject({ status: 401, body: { message: 'Unauthorized', statusCode: 401 } });
    expect((await call('GET', '/health', undefined, { key: '' })).status).toBe(401);
    expect((await call('GET', '/ping', undefined, { key: '' })).body).toEqual({ message: 'pong' });
    expect((await call('GET', '/simulator', undefined, { key: '' })).body.notice).toContain('stand-in');
    const version = { version: '2026.9.0', engine: 'NOWEB', tier: 'CORE' };
    expect((await call('GET', '/api/server/version')).body).toMatchObject(version);
    await expect(startSimulator({ port: 0, apiKey: '' })).rejects.toThrow('apiKey');
  });

  it('takes a session through its life, in the statuses that WAHA reports', async () => {
    const created = await call('POST', '/api/sessions', { name: 's1', config: { ...config(), unknown: 1 } });
    expect(created).toMatchObject({ status: 201, body: { name: 's1', status: 'STOPPED', me: null, engine: {} } });
    expect(created.body.config).toEqual(config());
    expect((await call('POST', '/api/sessions', { name: 's1' })).status).toBe(422);
    expect((await call('GET', '/api/sessions')).body).toEqual([]);
    expect((await call('GET', '/api/sessions?all=true')).body).toHaveLength(1);
    await call('POST', '/api/sessions/s1/start');
    await reach('s1', 'SCAN_QR_CODE');
    expect(await call('GET', '/api/sessions/s1/me')).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
    await call('POST', '/simulator/sessions/s1/scan', { phone: '5511999990000' });
    await reach('s1', 'WORKING');
    expect((await call('GET', '/api/sessions/s1/me')).body).toMatchObject({ id: '5511999990000@c.us' });
    await call('POST', '/simulator/sessions/s1/logout-from-phone');
    await reach('s1', 'FAILED');
    expect((await call('POST', '/api/sessions/s1/start')).body.status).toBe('FAILED');
    await call('POST', '/api/sessions/s1/restart');
    await reach('s1', 'SCAN_QR_CODE');
    expect(await call('DELETE', '/api/sessions/s1')).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
    const gone = { message: 'Session not found', error: 'Not Found', statusCode: 404 };
    expect((await call('GET', '/api/sessions/s1')).body).toEqual(gone);
    await eventually(() => receiver.of('session.status').length === 9);
    const working = receiver.payloads('session.status').find((payload) => payload.status === 'WORKING');
    const statuses = ['SCAN_QR_CODE', 'STARTING', 'WORKING'];
    expect(working?.statuses).toMatchObject(statuses.map((status) => ({ status })));
  });

  it('fails after six QR codes that nobody scanned', async () => {
    await start({ timing: { qrFirst: 10, qrNext: 5 } });
    await call('POST', '/api/sessions', { name: 's1', start: true, config: config() });
    await reach('s1', 'FAILED');
    await eventually(() => receiver.of('session.status').length === 8);
    const codes = receiver.payloads('session.status').filter((payload) => payload.status === 'SCAN_QR_CODE');
    expect(codes).toHaveLength(6);
  });

  it('refuses with the bodies that WAHA gives', async () => {
    const wrongEvent = await call('POST', '/api/sessions', { name: 's1', config: config({ events: ['nope'] }) });
    expect(wrongEvent.status).toBe(400);
    expect(wrongEvent.body.message[0]).toMatch(/^config.webhooks.0.each value in events must be one of .*message.any/);
    expect((await call('POST', '/api/sessions', { name: 'a b' })).body.message[0]).toContain('name must match');
    expect((await call('POST', '/api/sessions', { name: 'a'.repeat(55) })).status).toBe(400);
    expect((await send({ session: undefined })).body.message).toBe('Session name is required');
    expect(await send()).toMatchObject({ status: 422, body: { error: 'Session "s1" does not exist', session: 's1' } });
    await call('POST', '/api/sessions', { name: 's1' });
    const notReady = { session: 's1', status: 'STOPPED', expected: ['WORKING'] };
    expect(await send()).toMatchObject({ status: 422, body: notReady });
    await work('s2');
    for (const missing of ['text', 'chatId']) {
      const failed = await send({ session: 's2', [missing]: undefined });
      expect(failed).toMatchObject({
        status: 500,
        body: { exception: { name: 'TypeError' }, request: { path: '/api/sendText' } },
      });
    }
    expect(await sends()).toEqual([]);
  });

  it('gives the QR as a picture, as JSON and raw', async () => {
    await call('POST', '/api/sessions', { name: 's1', start: true });
    const png = await call('GET', '/api/s1/auth/qr');
    expect(png.bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    const json = await call('GET', '/api/s1/auth/qr', undefined, { accept: 'application/json' });
    expect(json.body).toEqual({ mimetype: 'image/png', data: png.bytes.toString('base64') });
    expect((await call('GET', '/api/s1/auth/qr?format=raw')).body.value).toMatch(/^2@/);
    const code = await call('POST', '/api/s1/auth/request-code', { phoneNumber: '12132132130' });
    expect(code.body.code).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  });

  it('sends under the reserved id, with acks that follow and a record of duplicates', async () => {
    await work();
    const { id } = (await call('GET', '/api/s1/new-message-id')).body;
    const sent = await send({ id });
    expect(sent).toMatchObject({
      status: 201,
      body: { key: { remoteJid: '5511888880000@s.whatsapp.net', fromMe: true, id }, status: 'PENDING' },
    });
    await eventually(() => receiver.of('message.ack').length === 3);
    const acks = receiver.payloads('message.ack');
    expect(acks.map((ack) => ack.ackName).sort()).toEqual(['DEVICE', 'READ', 'SERVER']);
    expect(acks[0]).toMatchObject({ id: `true_${CHAT}_${id}`, from: CHAT, fromMe: true });
    const any = { fromMe: true, source: 'api', ackName: 'PENDING' };
    expect(receiver.payloads('message.any')[0]).toMatchObject(any);
    await send({ id, text: 'again' });
    expect(await sends()).toMatchObject([
      { seq: 1, id, chatId: CHAT, text: 'hi' },
      { seq: 2, id, duplicateOf: 1 },
    ]);
    expect(await sends('?after=1&session=s1')).toHaveLength(1);
    expect((await call('GET', `/api/s1/chats/all/messages/${id}`)).body).toMatchObject({ body: 'hi', ackName: 'READ' });
    expect((await call('GET', '/api/s1/chats/all/messages/3EB0UNKNOWN')).status).toBe(404);
    expect((await call('GET', `/api/s1/chats/${CHAT}/messages?limit=5&filter.fromMe=true`)).body).toHaveLength(1);
    expect((await call('GET', `/api/s1/chats/all/messages?filter.timestamp.gte=9999999999`)).body).toEqual([]);
    const file = { ...{ session: 's1', chatId: CHAT, id: '3EB0DROPPED' }, file: { data: 'eA==' } };
    for (const kind of ['Image', 'File', 'Voice', 'Video'])
      expect((await call('POST', `/api/send${kind}`, file)).body.key.id).toMatch(/^3EB0(?!DROPPED)/);
  });

  it('delivers an inbound text as message and message.any, signed, as the measured one', async () => {
    await work();
    expect(await inbound({ from: '5511888880000', id: 'IN_1' })).toMatchObject({
      status: 201,
      body: { id: `false_${CHAT}_IN_1`, bare_id: 'IN_1' },
    });
    await eventually(() => receiver.of('message').length === 1 && receiver.of('message.any').length === 1);
    const message = receiver.first('message');
    expect(keysOf(message.event)).toEqual(keysOf(inboundFixture));
    expect(message.event.id).toMatch(/^evt_[0-9a-z]{26}$/);
    expect(receiver.first('message.any').event.id).toBe(message.event.id);
    expect(message.headers).toMatchObject({
      'x-webhook-hmac': createHmac('sha512', HMAC_KEY).update(message.raw).digest('hex'),
      'x-webhook-hmac-algorithm': 'sha512',
      'x-webhook-timestamp': String(message.event.timestamp),
      'user-agent': 'WAHA/2026.9.0',
    });
    await inbound({ text: 'hidden', lid: '98765432109876' });
    await eventually(() => receiver.of('message').length === 2);
    expect(receiver.payloads('message')[1]).toMatchObject({
      from: '98765432109876@lid',
      _data: { key: { remoteJidAlt: '5511888880000@s.whatsapp.net' } },
    });
    expect((await call('GET', '/api/s1/lids/98765432109876')).body).toEqual({ lid: '98765432109876@lid', pn: CHAT });
    expect((await call('GET', '/api/s1/lids/pn/5500')).body).toEqual({ lid: null, pn: '5500@c.us' });
  });

  it('keeps what is written while the session is away, and serves the files of messages', async () => {
    await work();
    await call('POST', '/simulator/sessions/s1/disconnect', { for_ms: 30 });
    const media = { mimetype: 'image/png', data: Buffer.from('a picture').toString('base64') };
    expect((await inbound({ text: 'look', media })).body.held).toBe(true);
    await eventually(() => receiver.of('message').length === 1);
    const { media: sent } = receiver.first('message').event.payload;
    expect(sent).toEqual({ url: expect.stringContaining('/api/files/s1/'), mimetype: 'image/png', filename: null });
    const { pathname } = new URL((sent as { url: string }).url);
    expect((await call('GET', pathname)).bytes.toString()).toBe('a picture');
  });

  it('tries a refused webhook again with the same body, request id and signature', async () => {
    await work('s1', { events: ['message'], retries: { policy: 'constant', delaySeconds: 0.01, attempts: 2 } });
    receiver.statuses = [500, 404];
    await inbound({ text: 'Hello' });
    await eventually(() => receiver.received.length === 3);
    expect(new Set(receiver.received.map(({ raw }) => raw)).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers['x-webhook-request-id'])).size).toBe(1);
    receiver.statuses = [500, 500, 500];
    await inbound({ text: 'lost' });
    await eventually(async () => (await deliveries()).dropped === 1);
    expect(await deliveries()).toMatchObject({ delivered: 1, retried: 4, dropped: 1, pending: 0 });
  });

  it('breaks sends on demand and records those that took place', async () => {
    await work();
    await faults({ timeout_after_send_rate: 1 });
    await expect(send({ text: 'no answer' }, 100)).rejects.toThrow('timeout');
    expect(await sends()).toMatchObject([{ text: 'no answer' }]);
    await faults({ error_after_send_rate: 1 });
    expect((await send({ text: 'sent' })).status).toBe(500);
    await faults({ error_rate: 1 });
    expect((await send({ text: 'not sent' })).status).toBe(500);
    await faults({ send_error: '463' });
    expect((await send()).body.exception.message).toContain('463');
    expect((await sends()).map((record) => record.text)).toEqual(['no answer', 'sent']);
    expect((await faults({ erorr_rate: 1 })).status).toBe(400);
  });

  it('loses, doubles and holds webhooks on demand, and forgets what it held in a crash', async () => {
    await work('s1', { events: ['message'] });
    await faults({ webhooks: { lose_rate: 1 } });
    await inbound({ text: 'lost' });
    await faults({ webhooks: { double_rate: 1 } });
    await inbound({ text: 'twice' });
    await eventually(() => receiver.of('message').length === 2);
    expect(await deliveries()).toMatchObject({ lost: 1, doubled: 1 });
    await faults({ webhooks: { paused: true } });
    await inbound({ text: 'gone with the crash' });
    await call('POST', '/simulator/restart');
    await call('DELETE', '/simulator/faults');
    await reach('s1', 'WORKING');
    await inbound({ text: 'after' });
    await eventually(() => receiver.payloads('message').at(-1)?.body === 'after');
    expect(receiver.payloads('message').map(({ body }) => body)).toEqual(['twice', 'twice', 'after']);
    await call('POST', '/simulator/forget');
    expect((await call('GET', '/api/sessions?all=true')).body).toEqual([]);
  });

  it('brings its sessions back from the state file', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'simulator-'));
    const stateFile = path.join(folder, 'state.json');
    await start({ stateFile });
    await work();
    const { me } = (await call('GET', '/api/sessions/s1')).body;
    await start({ stateFile });
    await reach('s1', 'WORKING');
    expect((await call('GET', '/api/sessions/s1')).body).toMatchObject({ me, config: config() });
    rmSync(folder, { recursive: true });
  });

  it('answers in the shape of each engine and version', async () => {
    await start({ engine: 'GOWS' });
    await work();
    expect((await send({ id: '3EB0AA' })).body).toMatchObject({
      id: `true_${CHAT}_3EB0AA`,
      _data: { Info: { ID: '3EB0AA' } },
    });
    await start({ engine: 'WEBJS' });
    await work();
    const { id } = (await send({ id: '3EB0AA' })).body;
    expect(id).toMatchObject({ fromMe: true, remote: CHAT, _serialized: `true_${CHAT}_${id.id}` });
    expect(id.id).not.toBe('3EB0AA');
    expect((await call('GET', '/api/s1/new-message-id')).status).toBe(501);
    await start({ version: '2026.2.1' });
    await work();
    expect((await send({ id: '3EB0AA' })).body.key.id).not.toBe('3EB0AA');
    expect((await call('GET', '/api/s1/new-message-id')).status).toBe(404);
  });
});
