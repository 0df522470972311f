import { Bag, type Bagged } from '../../../common/bag';

/** What is looked at now and then. */
export interface Swept extends Bagged {
  /** @param tick number of the look */
  check(tick: number): void;
}

/**
 * Looks at everything that is open at a steady pace. What happens on a connection notes the number of the last look, which
 * costs less than a timer of its own for each.
 */
export class IdleSweep<T extends Swept> {
  tick = 0;
  readonly open = new Bag<T>();
  private readonly timer: NodeJS.Timeout;

  constructor(readonly everyMs: number) {
    this.timer = setInterval(() => this.look(), everyMs);
    this.timer.unref();
  }

  /** How many looks a time is, at least one more than it takes. */
  ticksOf(timeMs: number): number {
    return Math.ceil(timeMs / this.everyMs) + 1;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    this.tick += 1;
    for (const one of this.open.list()) one.check(this.tick);
  }
}
