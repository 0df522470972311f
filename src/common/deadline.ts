/**
 * Waits for work that cannot be told to stop: when the time is over nobody waits for it any longer, and what becomes of it then is
 * nobody's. Keeps no process from ending. @throws a `TimeoutError` then
 */
export async function waitedFor<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DOMException('It took too long', 'TimeoutError')), timeoutMs).unref();
  });
  try {
    return await Promise.race([work(), over]);
  } finally {
    clearTimeout(timer);
  }
}
