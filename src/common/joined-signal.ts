/**
 * One signal for one call, aborted with the first of those that it is joined to. To be released when the call is over:
 * `AbortSignal.any` of Node 20 leaves something of each call behind in a signal that lives as long as the process.
 */
export class JoinedSignal {
  private readonly controller = new AbortController();
  private readonly joined = new Map<AbortSignal, () => void>();

  constructor(...signals: (AbortSignal | undefined)[]) {
    for (const signal of signals) if (signal) this.add(signal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Joins it to one more. */
  add(signal: AbortSignal): void {
    const abort = (): void => this.controller.abort(signal.reason);
    if (signal.aborted) abort();
    else {
      signal.addEventListener('abort', abort, { once: true });
      this.joined.set(signal, abort);
    }
  }

  /** Leaves all of them alone; the signal stays as it is. */
  release(): void {
    for (const [signal, abort] of this.joined) signal.removeEventListener('abort', abort);
    this.joined.clear();
  }
}
