/**
 * Does the work with a signal that is aborted when the time is over, with a `TimeoutError`. Its timer goes with the work:
 * `AbortSignal.timeout` keeps each for all of its time, which a busy sender has a hundred thousand of.
 */
export async function withDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(tooLong()), timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The same for work that cannot be told to stop: when the time is over nobody waits for it any longer, and what becomes of it
 * then is nobody's. Keeps no process from ending. @throws a `TimeoutError` then
 */
export async function waitedFor<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooLong()), timeoutMs).unref();
  });
  try {
    return await Promise.race([work(), over]);
  } finally {
    clearTimeout(timer);
  }
}

const tooLong = (): DOMException => new DOMException('It took too long', 'TimeoutError');
