import { inWindow, type Verdict, verdictOf, type WindowCount } from '../../../platform/limits/sliding-window';
import type { LimitVerdict } from '../proxy/parts';

/** Turns that are held ahead even of a slow limit, where its share allows it. */
const MIN_AHEAD = 4;
const MAX_AHEAD = 1_000_000;
/** Ticks without a request after which what is held is given back: 5 s. */
const IDLE_TICKS = 50;
/** After a refusal nothing is asked for at least, and at most, so long: what others give back is seen within a second. */
const CLOSED_MS = { least: 50, most: 1_000 };
const NONE: WindowCount = { index: 0, current: 0, previous: 0 };

/** What one exchange asks for. */
export interface Wish {
  spent: number;
  back: number;
  backIndex: number;
  ahead: number;
}

/** What Redis said of a limit. */
export interface HandedOut {
  nowMs: number;
  index: number;
  current: number;
  previous: number;
  granted: number;
}

/**
 * One limit in this process. It spends turns that Redis has handed out, without asking; while Redis is away it counts against
 * its share of the limit. Times are Redis', in ms.
 */
export class LimitBucket {
  /** Handed out and not spent. */
  turns = 0;
  /** Who waits for an exchange. */
  waiting: ((allowed: boolean) => void)[] = [];
  /** Until when it is known that there is nothing to ask for. */
  closedUntilMs = 0;
  /** Taken without asking, and not told yet. */
  untold = 0;
  private turnsIndex = 0;
  private ahead = MIN_AHEAD;
  private used = 0;
  private idleTicks = 0;
  /** Free for everybody beside what is held here, as last heard. */
  private free = 0;
  /** Used by everybody, as last heard. */
  private known = NONE;
  /** Used by this process since, without asking. */
  private alone = NONE;

  constructor(
    readonly name: string,
    public limit: number,
    private readonly windowMs: number,
  ) {}

  /** Another limit from now on. */
  change(limit: number): void {
    this.free = Math.max(0, this.free + limit - this.limit);
    this.limit = limit;
    this.closedUntilMs = 0;
  }

  /** Spends a turn that is held. */
  spend(): boolean {
    if (this.turns === 0) return false;
    this.turns -= 1;
    this.used += 1;
    return true;
  }

  /** What was spent was not needed. */
  undo(): void {
    this.turns += 1;
    this.used -= 1;
  }

  /** Spends of this process' share of the limit, which nobody else knows of. */
  spendAlone(nowMs: number, processes: number): boolean {
    const share = this.shareAt(nowMs, processes);
    const { remaining } = verdictOf(this.combined(nowMs, processes), true, share);
    if (remaining === 0) return false;
    const alone = inWindow(this.alone, this.indexAt(nowMs));
    this.alone = { ...alone, current: alone.current + 1 };
    this.untold += 1;
    this.free = remaining - 1;
    return true;
  }

  /** What is to be exchanged in the background after a tick; null for nothing. */
  tick(nowMs: number): Wish | null {
    const { used } = this;
    this.used = 0;
    this.idleTicks = used > 0 ? 0 : this.idleTicks + 1;
    this.ahead = Math.max(MIN_AHEAD, Math.min(MAX_AHEAD, Math.max(used * 2, Math.floor(this.ahead / 2))));
    if (this.turns > 0 && this.idleTicks >= IDLE_TICKS) return this.wish(this.turns);
    if (this.turns > this.ahead * 4) return this.wish(this.turns - this.ahead);
    if (used > 0 && this.turns < this.ahead / 2 && nowMs >= this.closedUntilMs) return this.wish();
    return this.untold > 0 ? this.wish() : null;
  }

  /** Whether anything was spent of it since the last tick. */
  get isUsed(): boolean {
    return this.used > 0;
  }

  /** Whether ticks have nothing to do for it. */
  get isQuiet(): boolean {
    return this.turns === 0 && this.untold === 0 && this.used === 0 && this.waiting.length === 0;
  }

  /** What to ask for now; what is given back is gone from here. Where somebody waits, too little was held. */
  wish(back = 0): Wish {
    const waiting = this.waiting.length;
    if (waiting > 0) this.ahead = Math.min(MAX_AHEAD, Math.max(this.ahead, waiting) * 2);
    const spent = this.untold;
    this.untold = 0;
    this.turns -= back;
    const ahead = back > 0 ? 0 : Math.max(0, this.ahead - this.turns);
    return { spent, back, backIndex: this.turnsIndex, ahead };
  }

  /**
   * The exchange failed: what it told has to be told again. What it gave back is kept only where Redis has surely not heard of
   * it: turns that two could spend are worse than turns that nobody does until the window is over.
   */
  untell({ spent, back }: Wish, isUnheard: boolean): void {
    this.untold += spent;
    if (isUnheard) this.turns += back;
  }

  /** Takes what was handed out, and serves those who waited for it. */
  accept({ nowMs, index, current, previous, granted }: HandedOut, waiting: readonly ((allowed: boolean) => void)[]) {
    this.known = { index, current, previous };
    // What was taken alone while this was on its way is told next time.
    this.alone = { index, current: this.untold, previous: 0 };
    this.turns += granted;
    this.turnsIndex = index;
    this.free = verdictOf(this.known, true, this.shareAt(nowMs, 1)).remaining;
    for (const resolve of waiting) {
      const allowed = this.spend();
      if (!allowed) this.close(nowMs);
      resolve(allowed);
    }
  }

  /** The verdict of a request that has spent. */
  passed(): LimitVerdict {
    const { limit, windowMs } = this;
    return { allowed: true, limit, remaining: this.free + this.turns, resetS: Math.ceil(windowMs / 1_000) };
  }

  /** The verdict of one that could not. @param processes more than one where this one is alone with its share */
  refused(nowMs: number, processes: number): LimitVerdict {
    const { retryAfterMs } = this.verdict(nowMs, processes);
    return { allowed: false, limit: this.limit, remaining: 0, resetS: Math.max(1, Math.ceil(retryAfterMs / 1_000)) };
  }

  private close(nowMs: number): void {
    const { retryAfterMs } = this.verdict(nowMs, 1);
    this.closedUntilMs = nowMs + Math.min(CLOSED_MS.most, Math.max(CLOSED_MS.least, retryAfterMs));
  }

  private verdict(nowMs: number, processes: number): Verdict {
    return verdictOf(this.combined(nowMs, processes), false, this.shareAt(nowMs, processes));
  }

  /** This process' part of what everybody has used, with what it has taken since. */
  private combined(nowMs: number, processes: number): WindowCount {
    const index = this.indexAt(nowMs);
    const [known, alone] = [inWindow(this.known, index), inWindow(this.alone, index)];
    return {
      index,
      current: known.current / processes + alone.current,
      previous: known.previous / processes + alone.previous,
    };
  }

  private shareAt(nowMs: number, processes: number) {
    return { nowMs, windowMs: this.windowMs, limit: Math.max(1, this.limit / processes) };
  }

  private indexAt(nowMs: number): number {
    return Math.floor(nowMs / this.windowMs);
  }
}
