import { inTurn } from '../../../platform/loops/turns';
import { RoutePattern } from './route-pattern';

/** Where there is no room, one in so many takes the place of others. */
const KEPT_ONE_IN = 4;

/** A compiled expression for as long as it is held. */
export interface Program {
  /** Null from when it had to give way: whoever remembers the program does not hold the expression by it. */
  readonly pattern: RoutePattern | null;
}

/** Of an expression that is not at hand. */
export const NO_PROGRAM: Program = { pattern: null };

class Kept implements Program {
  readonly sizeBytes: number;

  /** @param at its place among all that are kept */
  constructor(
    public pattern: RoutePattern | null,
    readonly text: string,
    public at: number,
  ) {
    this.sizeBytes = pattern?.sizeBytes ?? 0;
  }
}

/**
 * Regular expressions that are compiled, by their text, whichever routes have them: apart from the tables of routes, so that these stay
 * where there is no room for all expressions. What goes is chosen by chance, and not everything that comes is kept: of a few more than
 * there is room for, most are found all the same, where the longest unused going would let each go just before it is asked for again.
 */
export class PatternPrograms {
  private readonly byText = new Map<string, Kept>();
  private readonly kept: Kept[] = [];
  private readonly compiling = new Map<string, Promise<RoutePattern>>();
  private heldBytes = 0;

  /** @param maxBytes of all together, all tenants' */
  constructor(
    private readonly maxBytes: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** About what they take of memory. */
  get sizeBytes(): number {
    return this.heldBytes;
  }

  /** The expression, if it is at hand; to be remembered by whoever asks for it again and again. */
  known(text: string): Program {
    return this.byText.get(text) ?? NO_PROGRAM;
  }

  /** The expression; where it is not at hand it is compiled, which takes up to some milliseconds. @throws PatternError */
  of(text: string): RoutePattern {
    const { pattern: known } = this.known(text);
    if (known) return known;
    const pattern = new RoutePattern(text);
    this.keep(text, pattern);
    return pattern;
  }

  /** The same in turns with all else that goes on, and once for all that wait for it. */
  soon(text: string): Promise<RoutePattern> {
    const running = this.compiling.get(text);
    if (running) return running;
    const run = inTurn(() => this.of(text)).finally(() => this.compiling.delete(text));
    this.compiling.set(text, run);
    return run;
  }

  private keep(text: string, pattern: RoutePattern): void {
    const { sizeBytes } = pattern;
    const isFull = this.heldBytes + sizeBytes > this.maxBytes;
    if (sizeBytes > this.maxBytes || (isFull && this.random() * KEPT_ONE_IN >= 1)) return;
    while (this.heldBytes + sizeBytes > this.maxBytes) this.dropAny();
    const fresh = new Kept(pattern, text, this.kept.length);
    this.kept.push(fresh);
    this.byText.set(text, fresh);
    this.heldBytes += sizeBytes;
  }

  private dropAny(): void {
    const gone = this.kept[Math.floor(this.random() * this.kept.length)] as Kept;
    const last = this.kept.pop() as Kept;
    last.at = gone.at;
    if (last !== gone) this.kept[gone.at] = last;
    this.byText.delete(gone.text);
    this.heldBytes -= gone.sizeBytes;
    gone.pattern = null;
  }
}
