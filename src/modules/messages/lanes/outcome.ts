import type { WahaFailure } from '../../waha/waha.errors';

/** At most so many attempts; what parks or waits for its server burns none. */
export const MAX_ATTEMPTS = 8;

const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 300_000;
const LANE_WAIT_MAX_MS = 30_000;
/** How soon WAHA is asked what became of an attempt. */
const FIRST_SETTLEMENT_MS = 300;
/** WhatsApp says how long only to who asks its apps: after so long one new contact is tried again. */
const FIRSTS_CLOSED_MS = 3_600_000;

/** What became of an attempt, and what the lane does next. */
export interface Outcome {
  status: 'sent' | 'queued' | 'failed' | 'unknown';
  waId: string | null;
  errorCode: string | null;
  error: string | null;
  /** Until the retry, the settlement, or (`wait`) until the lane goes on. */
  delayMs: number;
  /** `go`: on with the next chat; `wait`: the server is away, the whole lane pauses; `park`: until the session is WORKING. */
  lane: 'go' | 'wait' | 'park';
  /** For how long WhatsApp lets the session write to nobody new; absent where it does. */
  firstsClosedMs?: number;
}

/** The attempt as far as its outcome depends on it. */
export interface AttemptState {
  /** Attempts that count, before this one. */
  burned: number;
  /** Whether the message has an id of its own in WhatsApp, so that trying again is harmless. */
  reserved: boolean;
  strikes: number;
  random: () => number;
}

/** Exponential back-off with jitter: between half and the whole of min × 2^n. */
export function backoffMs(n: number, maxMs: number, random: () => number): number {
  const whole = Math.min(maxMs, BACKOFF_MIN_MS * 2 ** Math.min(n, 20));
  return Math.round(whole / 2 + (random() * whole) / 2);
}

export const sent = (waId: string | null): Outcome => ({
  status: 'sent',
  waId,
  errorCode: null,
  error: null,
  delayMs: 0,
  lane: 'go',
});

/**
 * What a failed call means: nothing left → the lane waits; the session is not WORKING → the
 * lane is parked; 401, 403, 404 → parked too, somebody must look; 400 and other 422 are about this message; 429 → later; a
 * 5xx or silence → unknown, to be settled by asking, never by sending again blindly; WhatsApp's refusal of new contacts → it
 * waits with all other first contacts.
 */
export function outcomeOf(failure: WahaFailure, state: AttemptState): Outcome {
  const base = { waId: null, error: failure.reason, delayMs: 0, lane: 'go' as const };
  if (failure.kind === 'unreachable') return waiting(failure, state);
  if (failure.sessionNotReady) return { ...base, status: 'queued', errorCode: 'SESSION_NOT_WORKING', lane: 'park' };
  const refusal = refusalOf(failure);
  if (refusal) return { ...base, status: 'queued', errorCode: refusal, firstsClosedMs: FIRSTS_CLOSED_MS };
  if (failure.kind === 'lost' || failure.status >= 500) {
    const errorCode = failure.kind === 'lost' ? 'WAHA_TIMEOUT' : 'WAHA_ERROR';
    const unknown = { ...base, status: 'unknown' as const, errorCode };
    if (state.reserved) return { ...unknown, delayMs: FIRST_SETTLEMENT_MS };
    // Without an id of its own nothing is tried again: the next message must not run into the same wall at once.
    return { ...unknown, lane: 'wait', delayMs: backoffMs(state.strikes, LANE_WAIT_MAX_MS, state.random) };
  }
  if (failure.status === 429) return retry({ ...base, status: 'queued', errorCode: 'WAHA_BUSY' }, state);
  if (failure.status === 400 || failure.status === 422)
    return { ...base, status: 'failed', errorCode: 'MESSAGE_REFUSED' };
  return { ...base, status: 'queued', errorCode: 'WAHA_REFUSED', lane: 'park' };
}

/** WhatsApp's own refusals, as its servers number them: WAHA passes them on as a 500 with that reason. */
const REFUSALS: Record<string, string> = { '463': 'REACH_OUT_LOCKED', '475': 'NEW_CHATS_SPENT' };

/** Which of its refusals WhatsApp gave; null where it is another failure. Nothing was sent then. */
function refusalOf({ kind, status, reason }: WahaFailure): string | null {
  if (kind !== 'answered' || status < 500) return null;
  const number = /\berror:? (463|475)\b/.exec(reason)?.[1];
  return (number && REFUSALS[number]) ?? null;
}

/** The lane pauses because its server is away; the message keeps its place and its attempts. */
export const waiting = (failure: WahaFailure, { strikes, random }: AttemptState): Outcome => ({
  status: 'queued',
  waId: null,
  errorCode: 'WAHA_UNREACHABLE',
  error: failure.reason,
  delayMs: backoffMs(strikes, LANE_WAIT_MAX_MS, random),
  lane: 'wait',
});

function retry(outcome: Outcome, { burned, random }: AttemptState): Outcome {
  if (burned + 1 >= MAX_ATTEMPTS) return { ...outcome, status: 'failed', errorCode: 'ATTEMPTS_EXHAUSTED' };
  return { ...outcome, delayMs: retryMs(burned, random) };
}

/** Until the next attempt, after so many that counted before the one that just ended. */
export const retryMs = (burned: number, random: () => number): number => backoffMs(burned, BACKOFF_MAX_MS, random);
