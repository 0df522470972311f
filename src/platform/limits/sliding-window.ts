/** What has been counted of one key: hits of the window `index`, and of the one before it. */
export interface WindowCount {
  index: number;
  current: number;
  previous: number;
}

/** What one attempt got. */
export interface Verdict {
  allowed: boolean;
  /** Hits that would still pass now. */
  remaining: number;
  /**
   * Until the whole limit is free again, if nothing more comes; told as one window where the last hits weigh longer, because
   * that is what clients know of the limit, and never as less than `retryAfterMs`.
   */
  resetMs: number;
  /** Until one more hit passes; 0 when one would pass now. */
  retryAfterMs: number;
}

/** The counts as they stand in the window of this moment. */
export function inWindow(count: WindowCount | undefined, index: number): WindowCount {
  if (count?.index === index) return count;
  return { index, current: 0, previous: count?.index === index - 1 ? count.current : 0 };
}

/**
 * The verdict from the counts after the hit: the window before weighs as much as it still reaches into the last `windowMs`
 * (the sliding window counter), so that no border between windows lets twice the limit through.
 */
export function verdictOf(
  count: WindowCount,
  allowed: boolean,
  at: { nowMs: number; limit: number; windowMs: number },
): Verdict {
  const { nowMs, limit, windowMs } = at;
  const elapsedMs = nowMs - count.index * windowMs;
  const used = (count.previous * (windowMs - elapsedMs)) / windowMs + count.current;
  const remaining = Math.max(0, Math.floor(limit - used));
  const untilNextMs = windowMs - elapsedMs;
  const resetMs = count.current > 0 ? untilNextMs + windowMs : count.previous > 0 ? untilNextMs : 0;
  const retryAfterMs = remaining === 0 ? Math.ceil(retryMs(count, { elapsedMs, limit, windowMs })) : 0;
  return { allowed, remaining, resetMs: Math.max(retryAfterMs, Math.min(resetMs, windowMs)), retryAfterMs };
}

/** Solves `previous * (1 - elapsed / window) + current + 1 <= limit` for the time, in this window or else in the next. */
function retryMs(count: WindowCount, at: { elapsedMs: number; limit: number; windowMs: number }): number {
  const { elapsedMs, limit, windowMs } = at;
  const free = limit - 1 - count.current;
  if (free >= 0 && count.previous > 0) return Math.max(0, windowMs * (1 - free / count.previous) - elapsedMs);
  const fraction = count.current === 0 ? 0 : Math.max(0, 1 - (limit - 1) / count.current);
  return windowMs - elapsedMs + windowMs * fraction;
}
