import { setImmediate as nextRound } from 'node:timers/promises';

/** Counts rounds of the event loop, as all else that waits for its turn would see them. */
export class Rounds {
  count = 0;
  private running = true;

  constructor() {
    setImmediate(() => this.tick());
  }

  stop(): void {
    this.running = false;
  }

  private tick(): void {
    this.count += 1;
    if (this.running) setImmediate(() => this.tick());
  }
}

/** How often the event loop goes round until the work is done, if each look at the clock takes a millisecond. */
export async function roundsWhile(work: () => Promise<unknown>): Promise<number> {
  await nextRound(); // in which nobody has begun by the clock as it was
  let nowMs = performance.now();
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1));
  const rounds = new Rounds();
  try {
    await work();
    return rounds.count;
  } finally {
    rounds.stop();
    clock.mockRestore();
  }
}
