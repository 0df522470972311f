import { DatabaseError } from 'pg';
import type { Config } from '../../../config/config';
import { WahaFailure } from '../../waha/waha.errors';
import type { WahaMessage } from '../../waha/waha.events';
import type { WahaServers } from '../../waha/waha-servers.service';
import type { UnsettledAttempt } from './lane-job';
import { BEGINS_WITHIN_MS, type LaneStore, type Settled } from './lane-store.service';
import { Settlement } from './settlement.service';

const TIMEOUT_MS = 20_000;
const FILE_TIMEOUT_MS = 180_000;
const LATE_MS = 40_000;
/** After so long nothing of an attempt can still be done. */
const LONG = { age_ms: 90_000, doubt_ms: 80_000 };
const NOW = Date.parse('2026-05-01T12:00:00Z');
const ago = (ms: number): Date => new Date(NOW - ms);

const ATTEMPT: UnsettledAttempt = {
  tenant_id: 't',
  id: 'm',
  type: 'text',
  chat: '5511888880000@c.us',
  body: 'Hello',
  wa_id: '3EB0RESERVED',
  wa_id_reserved: true,
  attempts: 1,
  burned: 1,
  attempted_at: ago(0),
  age_ms: 0,
  doubt_ms: 0,
  error_code: 'WAHA_TIMEOUT',
  forgotten: false,
  waha_name: 's',
  server_id: 'server',
};

const message = (over: Partial<WahaMessage> = {}): WahaMessage => ({
  fromMe: true,
  chat: ATTEMPT.chat,
  waId: '3EB0RESERVED',
  participant: null,
  source: 'api',
  author: null,
  otherId: null,
  at: ago(0),
  type: 'text',
  body: 'Hello',
  media: null,
  status: 'sent',
  ...over,
});

/** Until what was queued is tried again. */
let delays: number[] = [];

/** What the store was told of the attempt, after WAHA knew these messages. */
async function settled(
  over: Partial<UnsettledAttempt>,
  known: WahaMessage[] = [],
  spoilt: object = {},
): Promise<unknown[]> {
  const told: unknown[] = [];
  const attempt = { ...ATTEMPT, ...over };
  const due = [[attempt]];
  const store = {
    takeUnsettled: async () => due.pop() ?? [],
    putOff: async (_attempt: UnsettledAttempt, inMs: number) => told.push(`in ${inMs} ms`),
    settle: async (_attempt: UnsettledAttempt, { status, waId, code, delayMs = 0 }: Settled) => {
      if (waId === 'TAKEN') throw taken();
      told.push([status, waId ?? code ?? null]);
      delays.push(delayMs);
    },
  };
  const client = {
    findMessage: async (_session: string, waId: string) => known.find((each) => each.waId === waId) ?? null,
    ownMessagesSince: async () => known,
    ...spoilt,
  };
  const settlement = new Settlement(
    {
      ...{ works: true, WAHA_TIMEOUT_MS: TIMEOUT_MS, WAHA_FILE_TIMEOUT_MS: FILE_TIMEOUT_MS, WAHA_LATE_MS: LATE_MS },
    } as Config,
    store as unknown as LaneStore,
    { byId: async () => ({ client }) } as unknown as WahaServers,
  );
  settlement.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(1);
  await settlement.beforeApplicationShutdown();
  return told;
}

/** As pg throws it. */
const taken = (): DatabaseError =>
  Object.assign(new DatabaseError('taken', 0, 'error'), { code: '23505', constraint: 'messages_wa_id_key' });

describe('settlement', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    delays = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('takes what WAHA knows as sent, or as far as it says that it came, and what WhatsApp refused as failed', async () => {
    expect(await settled({}, [message()])).toEqual([['sent', '3EB0RESERVED']]);
    expect(await settled({}, [message({ status: null })])).toEqual([['sent', '3EB0RESERVED']]);
    for (const status of ['delivered', 'read', 'played'] as const)
      expect(await settled({}, [message({ status })])).toEqual([[status, '3EB0RESERVED']]);
    expect(await settled({}, [message({ status: 'failed' })])).toEqual([['failed', '3EB0RESERVED']]);
  });

  it('is certain that WAHA does not know it only when a slow WAHA could no longer do it, from the end of the call', async () => {
    expect(await settled({ age_ms: 60_000, doubt_ms: 0 })).toEqual(['in 500 ms']);
    expect(await settled({ age_ms: 60_000, doubt_ms: LATE_MS - 1 })).toEqual(['in 1 ms']);
    expect(await settled({ age_ms: 60_000, doubt_ms: LATE_MS })).toEqual([['queued', null]]);
  });

  it('asks more rarely the longer WAHA does not know it', async () => {
    expect(await settled({ doubt_ms: 8_000 })).toEqual(['in 2000 ms']);
    expect(await settled({ doubt_ms: 30_000 })).toEqual(['in 5000 ms']);
    expect(await settled({ doubt_ms: 38_000 })).toEqual(['in 2000 ms']);
  });

  it('is certain soon after WAHA answered with an error, from the answer and not from the attempt: its call has ended', async () => {
    expect(await settled({ error_code: 'WAHA_ERROR', age_ms: 19_000, doubt_ms: 1_900 })).toEqual(['in 100 ms']);
    expect(await settled({ error_code: 'WAHA_ERROR', age_ms: 19_000, doubt_ms: 2_000 })).toEqual([['queued', null]]);
  });

  it('gives the call of a lost worker the time to begin, its time-out and the time of a slow WAHA', async () => {
    const lost = { error_code: 'WORKER_LOST', doubt_ms: 70_000 };
    const all = BEGINS_WITHIN_MS + TIMEOUT_MS + LATE_MS;
    expect(await settled({ ...lost, age_ms: all - 10 })).toEqual(['in 10 ms']);
    expect(await settled({ ...lost, age_ms: all })).toEqual([['queued', null]]);
  });

  it('sends nothing again after the last attempt', async () => {
    expect(await settled({ ...LONG, burned: 8 })).toEqual([['failed', 'ATTEMPTS_EXHAUSTED']]);
    expect(await settled({ ...LONG, burned: 7 })).toEqual([['queued', null]]);
  });

  it('sends again after a pause that grows with the attempts', async () => {
    for (const burned of [1, 2, 3, 7]) await settled({ ...LONG, burned });
    for (const [nth, whole] of [1_000, 2_000, 4_000, 64_000].entries()) {
      expect(delays[nth]).toBeGreaterThanOrEqual(whole / 2);
      expect(delays[nth]).toBeLessThanOrEqual(whole);
    }
  });

  it('gives the call that sends a file its own time', async () => {
    const lost = { type: 'video', wa_id: null, wa_id_reserved: false, error_code: 'WORKER_LOST', doubt_ms: 300_000 };
    const all = BEGINS_WITHIN_MS + FILE_TIMEOUT_MS + LATE_MS;
    expect(await settled({ ...lost, age_ms: all - 10 })).toEqual(['in 10 ms']);
    expect(await settled({ ...lost, age_ms: all })).toEqual([['unknown', null]]);
  });

  it.each(['image', 'file', 'voice', 'video'])(
    'takes the id that was once reserved for a %s for none: WAHA never had it',
    async (type) => {
      const file = { media: { url: null, mimetype: null, filename: null } };
      expect(await settled({ ...LONG, type })).toEqual([['unknown', null]]);
      expect(await settled({ ...LONG, type }, [message({ waId: '3EB0ITS', type, ...file })])).toEqual([
        ['sent', '3EB0ITS'],
      ]);
    },
  );

  it('never sends again what WAHA may have forgotten; what it knows all the same was sent', async () => {
    expect(await settled({ ...LONG, forgotten: true })).toEqual([['unknown', null]]);
    expect(await settled({ ...LONG, forgotten: true, burned: 8 })).toEqual([['unknown', null]]);
    expect(await settled({ ...LONG, forgotten: true }, [message()])).toEqual([['sent', '3EB0RESERVED']]);
  });

  it('without an id of its own never sends again: what is not found stays unknown', async () => {
    const blind = { wa_id: null, wa_id_reserved: false };
    expect(await settled({ ...blind, ...LONG })).toEqual([['unknown', null]]);
    expect(await settled({ ...blind, doubt_ms: 1_000 })).toEqual(['in 500 ms']);
  });

  it('without an id takes the oldest message of the chat with the same words, and no other', async () => {
    const known = [
      message({ waId: 'NEWER', at: ago(1_000) }),
      message({ waId: 'OTHER', at: ago(9_000), body: 'Other' }),
      message({ waId: 'OLDER', at: ago(5_000) }),
    ];
    expect(await settled({ wa_id: null, wa_id_reserved: false }, known)).toEqual([['sent', 'OLDER']]);
  });

  it('without an id passes by a message that is another one of ours', async () => {
    const known = [message({ waId: 'TAKEN', at: ago(5_000) }), message({ waId: 'FREE', at: ago(1_000) })];
    expect(await settled({ wa_id: null, wa_id_reserved: false }, known)).toEqual([['sent', 'FREE']]);
  });

  it('takes a file of a list for the one that was sent, whatever its kind, which WAHA does not say there', async () => {
    const listed = message({
      waId: 'LISTED',
      type: 'file',
      body: null,
      media: { url: null, mimetype: null, filename: null },
    });
    const blind = { wa_id: null, wa_id_reserved: false, body: null };
    for (const type of ['image', 'voice', 'video', 'file'])
      expect(await settled({ ...blind, type }, [listed])).toEqual([['sent', 'LISTED']]);
    expect(await settled({ ...blind, type: 'location' }, [listed])).toEqual(['in 500 ms']);
    expect(await settled({ ...blind, type: 'image' }, [{ ...listed, body: 'other words' }])).toEqual(['in 500 ms']);
  });

  it('gives up a question that WAHA answered with errors for an hour: the chat goes on, and nothing is sent again', async () => {
    const failing = (failure: WahaFailure) => ({ findMessage: () => Promise.reject(failure) });
    const broken = failing(new WahaFailure('answered', 500, 'no such chat'));
    expect(await settled({ doubt_ms: 3_599_000 }, [], broken)).toEqual(['in 5000 ms']);
    expect(await settled({ doubt_ms: 3_601_000 }, [], broken)).toEqual([['unknown', null]]);
    for (const patient of [
      new WahaFailure('lost', 0, 'no answer'),
      new WahaFailure('answered', 401, 'who is there'),
      new WahaFailure('answered', 422, 'Session status is not as expected'),
    ])
      expect(await settled({ doubt_ms: 3_601_000 }, [], failing(patient))).toEqual(['in 5000 ms']);
  });
});
