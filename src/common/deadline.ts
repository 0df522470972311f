/**
 * Does the work with a signal that is aborted when the time is over, with a `TimeoutError`. Its timer goes with the work:
 * `AbortSignal.timeout` keeps each for all of its time, which a busy sender has a hundred thousand of.
 */
export async function withDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('It took too long', 'TimeoutError')), timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
