/** A seeded source of chance (mulberry32): the same seed gives the same faults in the same order. */
export class Random {
  private state: number;

  constructor(public readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** The next number in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** True with the given probability. Draws nothing for 0, so that a fault that is off does not shift the others. */
  chance(rate: number): boolean {
    return rate > 0 && this.next() < rate;
  }

  /** A whole number between both, inclusive. */
  between([min, max]: readonly [number, number]): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** That many decimal digits. */
  digits(count: number): string {
    let text = '';
    while (text.length < count) text += String(Math.floor(this.next() * 10));
    return text;
  }
}
