import { reasonOf, transportFailure, WahaFailure } from '../../waha/client/waha-failure';
import { backoffMs, MAX_ATTEMPTS, type AttemptState, type Outcome, outcomeOf, sent, waiting } from './outcome';

const state = (over: Partial<AttemptState> = {}): AttemptState => ({
  burned: 0,
  reserved: true,
  strikes: 0,
  random: () => 0.5,
  ...over,
});
const answered = (status: number, reason = 'no reason given') => new WahaFailure('answered', status, reason);
const NOT_READY = 'Session status is not as expected. Try again later or restart the session';

describe('outcomeOf', () => {
  it.each<[string, WahaFailure, Partial<Outcome>]>([
    [
      'nothing left this machine',
      new WahaFailure('unreachable', 0, 'ECONNREFUSED'),
      { status: 'queued', errorCode: 'WAHA_UNREACHABLE', lane: 'wait' },
    ],
    [
      'no answer came',
      new WahaFailure('lost', 0, 'TimeoutError'),
      { status: 'unknown', errorCode: 'WAHA_TIMEOUT', lane: 'go' },
    ],
    ['500', answered(500, 'boom'), { status: 'unknown', errorCode: 'WAHA_ERROR', lane: 'go' }],
    ['502', answered(502), { status: 'unknown', errorCode: 'WAHA_ERROR', lane: 'go' }],
    [
      'WhatsApp lets it write to nobody new',
      answered(500, '2 UNKNOWN: server returned error 463'),
      { status: 'queued', errorCode: 'REACH_OUT_LOCKED', lane: 'go', delayMs: 0, firstsClosedMs: 3_600_000 },
    ],
    [
      'WhatsApp grants no more new chats',
      answered(500, 'server returned error 475'),
      { status: 'queued', errorCode: 'NEW_CHATS_SPENT', lane: 'go', firstsClosedMs: 3_600_000 },
    ],
    [
      '500 with another number',
      answered(500, 'server returned error 4630'),
      { status: 'unknown', errorCode: 'WAHA_ERROR' },
    ],
    ['429', answered(429), { status: 'queued', errorCode: 'WAHA_BUSY', lane: 'go' }],
    ['400', answered(400, 'bad'), { status: 'failed', errorCode: 'MESSAGE_REFUSED', lane: 'go' }],
    [
      '422 about the message',
      answered(422, 'Message is too long'),
      { status: 'failed', errorCode: 'MESSAGE_REFUSED', lane: 'go' },
    ],
    [
      '422 about the status',
      answered(422, NOT_READY),
      { status: 'queued', errorCode: 'SESSION_NOT_WORKING', lane: 'park' },
    ],
    [
      '422 of an unknown session',
      answered(422, 'Session "x" does not exist'),
      { status: 'queued', errorCode: 'SESSION_NOT_WORKING', lane: 'park' },
    ],
    ['401', answered(401), { status: 'queued', errorCode: 'WAHA_REFUSED', lane: 'park' }],
    ['403', answered(403), { status: 'queued', errorCode: 'WAHA_REFUSED', lane: 'park' }],
    ['404', answered(404), { status: 'queued', errorCode: 'WAHA_REFUSED', lane: 'park' }],
    ['302', answered(302), { status: 'queued', errorCode: 'WAHA_REFUSED', lane: 'park' }],
  ])('of %s', (_what, failure, outcome) => {
    expect(outcomeOf(failure, state())).toMatchObject({ ...outcome, waId: null, error: failure.reason });
  });

  it('fails a message that was refused as too early for the last time, and no other', () => {
    expect(outcomeOf(answered(429), state({ burned: MAX_ATTEMPTS - 2 })).status).toBe('queued');
    expect(outcomeOf(answered(429), state({ burned: MAX_ATTEMPTS - 1 }))).toMatchObject({
      status: 'failed',
      errorCode: 'ATTEMPTS_EXHAUSTED',
    });
    for (const failure of [answered(500), new WahaFailure('lost', 0, ''), new WahaFailure('unreachable', 0, '')])
      expect(outcomeOf(failure, state({ burned: 99 })).status).not.toBe('failed');
  });

  it('never sends again blindly what may have left: such an outcome is unknown, and is asked about soon', () => {
    for (const failure of [
      new WahaFailure('lost', 0, ''),
      ...[500, 501, 503, 504, 599].map((each) => answered(each)),
    ]) {
      const { status, delayMs } = outcomeOf(failure, state());
      expect([status, delayMs > 0 && delayMs < 1_000]).toEqual(['unknown', true]);
    }
  });
});

describe('backoffMs', () => {
  it.each([0, 1, 2, 3, 8, 19, 20, 21, 1000])('of the %ith try lies between half and the whole of its step', (n) => {
    const whole = Math.min(300_000, 1_000 * 2 ** n);
    expect(backoffMs(n, 300_000, () => 0)).toBe(whole / 2);
    expect(backoffMs(n, 300_000, () => 0.999_999)).toBeLessThanOrEqual(whole);
    expect(backoffMs(n, 300_000, () => 0.999_999)).toBeGreaterThan(whole * 0.99);
  });

  it('grows with the strikes of a lane up to half a minute', () => {
    const failure = new WahaFailure('unreachable', 0, 'x');
    const delays = [0, 1, 2, 5, 20].map((strikes) => waiting(failure, state({ strikes })).delayMs);
    expect(delays).toEqual([750, 1_500, 3_000, 22_500, 22_500]);
  });
});

describe('sent', () => {
  it('lets the lane go on at once', () => {
    expect(sent('3EB0')).toEqual({
      status: 'sent',
      waId: '3EB0',
      errorCode: null,
      error: null,
      delayMs: 0,
      lane: 'go',
    });
  });
});

describe('transportFailure', () => {
  const ofCode = (code: string) => Object.assign(new Error(code), { code });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])(
    'knows that nothing left with %s',
    (code) => {
      expect(transportFailure(ofCode(code))).toMatchObject({ kind: 'unreachable', reason: code, status: 0 });
    },
  );

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT'])(
    'cannot know with %s',
    (code) => {
      expect(transportFailure(ofCode(code)).kind).toBe('lost');
    },
  );

  it('cannot know when the time is up, nor when one of several addresses was reached', () => {
    expect(transportFailure(new DOMException('The operation was aborted', 'TimeoutError')).kind).toBe('lost');
    expect(transportFailure(new AggregateError([ofCode('ECONNREFUSED'), ofCode('ECONNRESET')])).kind).toBe('lost');
    expect(transportFailure(new AggregateError([ofCode('ECONNREFUSED'), ofCode('EHOSTUNREACH')])).kind).toBe(
      'unreachable',
    );
    expect(transportFailure(new AggregateError([])).kind).toBe('lost');
  });
});

describe('reasonOf', () => {
  it.each([
    [{ message: 'Session not found', error: 'Not Found', statusCode: 404 }, 'Session not found'],
    [{ message: ['a must be', 'b must be'], error: 'Bad Request' }, 'a must be; b must be'],
    [{ error: NOT_READY, session: 's', status: 'STOPPED' }, NOT_READY],
    [
      { statusCode: 500, exception: { message: 'server returned error 463', name: 'Error' } },
      'server returned error 463',
    ],
    [{ error: { code: 404, key: 'FILE_NOT_FOUND' } }, 'no reason given'],
    ['<html>bad gateway</html>', '<html>bad gateway</html>'],
    [null, 'no reason given'],
    [7, 'no reason given'],
    [{ message: 'x'.repeat(1000) }, 'x'.repeat(300)],
  ])('reads %j', (body, reason) => {
    expect(reasonOf(body)).toBe(reason);
  });
});
