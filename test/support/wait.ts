import { setTimeout as sleep } from 'node:timers/promises';

/** How long and how often `eventually` looks, and how it calls what it waits for in its error. */
export interface WaitOptions {
  /** 10 s unless told otherwise. */
  timeoutMs?: number;
  /** 25 ms unless told otherwise. */
  everyMs?: number;
  what?: string;
}

/**
 * Calls `check` until it gives something truthy (which it then returns) or, for a check that returns nothing, until it
 * no longer throws. After the time it fails with what it waited for and what stood in the way last. One call that hangs
 * does not outlast the time either.
 */
export async function eventually<T>(check: () => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
  const { timeoutMs = 10_000, everyMs = 25, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  let last: unknown = 'the check did not return';
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}: ${textOf(last)}`, { cause: last });
    const outcome = await attempt(check, left);
    if ('value' in outcome) return outcome.value;
    if (!outcome.hung) last = outcome.problem;
    await sleep(Math.min(everyMs, Math.max(0, deadline - performance.now())));
  }
}

type Attempt<T> = { value: T } | { hung: boolean; problem: unknown };

async function attempt<T>(check: () => T | Promise<T>, timeoutMs: number): Promise<Attempt<T>> {
  const stop = new AbortController();
  const run = async (): Promise<Attempt<T>> => {
    try {
      const value = await check();
      const passed = value === undefined || Boolean(value);
      return passed ? { value } : { hung: false, problem: `it gave ${JSON.stringify(value)}` };
    } catch (problem) {
      return { hung: false, problem };
    }
  };
  const hang = sleep(timeoutMs, { hung: true, problem: undefined } as const, { signal: stop.signal });
  hang.catch(() => undefined); // called off when the check returns
  try {
    return await Promise.race([run(), hang]);
  } finally {
    stop.abort();
  }
}

/** By its text rather than its class: Jest's own errors are of another realm. */
function textOf(problem: unknown): string {
  if (typeof problem === 'object' && problem !== null && 'message' in problem) return String(problem.message);
  return String(problem);
}
