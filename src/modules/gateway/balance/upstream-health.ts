import type { AttemptFailure } from './balancer';

/** So many failures in a row, and nobody is sent there any more. */
export const EJECTING_FAILURES = 5;
/** The first pause after which it is tried again, doubled each time: of what is suspected, or could not be reached… */
const SHORT_PAUSE = { firstMs: 1_000, longestMs: 30_000 };
/** … and of what is ejected for its answers. */
const PAUSE = { firstMs: 10_000, longestMs: 300_000 };
/** Part of a pause that chance adds or takes away, so that replicas do not all come back at once. */
const JITTER = 0.1;
/** A request that finds out is waited for so long; then another may, and the first one's outcome still counts. */
const PROBE_MS = 10_000;
/** A minute without trouble forgives one doubling. */
const FORGIVEN_AFTER_MS = 60_000;

/** What was wrong with an attempt. */
export type Fault = AttemptFailure | 'status';

/** How far an upstream may be asked; the higher is preferred. */
export const STANDING = {
  /** Ejected. */
  closed: 0,
  /** It has just failed: only where nobody better is left. */
  suspect: 1,
  /** Its pause is over, and whether it can be reached again is to be found out. */
  unchecked: 2,
  open: 3,
} as const;
export type Standing = (typeof STANDING)[keyof typeof STANDING];

interface Trouble {
  /** By five in a row; otherwise it is suspected only. */
  ejected: boolean;
  /** Whether nothing shows that it can be reached: a connection is tried before a request is. */
  unreached: boolean;
  untilMs: number;
}

/** How attempts and health know each other. */
export interface Trial {
  /** The state of the upstream's health when it was picked. */
  readonly era: number;
  /** How many answers there had been when it was picked. */
  readonly answersBefore: number;
  /** It is the one request that finds out whether an ejected upstream has recovered. */
  readonly probe: boolean;
}

/**
 * What the answers of one upstream say of it. Failures in a row eject it for a pause that grows; then one request at a time
 * finds out, and its success ends it. Before that, the first connection that fails or answer that does not come makes it
 * suspected: others are preferred for a moment, but where there is no other it is still asked.
 */
export class UpstreamHealth {
  /** Failures since the last good answer. */
  failuresInARow = 0;
  private trouble: Trouble | null = null;
  private probe: { trial: Trial; endsMs: number } | null = null;
  private era = 0;
  private answers = 0;
  private strikes = 0;
  private wellSinceMs = 0;

  /** @param nowMs a clock that is never set back */
  constructor(
    private readonly nowMs: () => number,
    private readonly random: () => number = Math.random,
  ) {}

  /** Without trouble, which needs no clock. */
  get isWell(): boolean {
    return this.trouble === null;
  }

  /** Whether a request is finding out about it. */
  get probing(): boolean {
    return this.isProbing(this.nowMs());
  }

  standing(nowMs: number): Standing {
    if (this.trouble === null) return STANDING.open;
    if (nowMs < this.trouble.untilMs || this.isProbing(nowMs))
      return this.trouble.ejected ? STANDING.closed : STANDING.suspect;
    return this.trouble.unreached ? STANDING.unchecked : STANDING.open;
  }

  /** For those who watch. @returns until when it is avoided, null without trouble */
  avoided(): { ejected: boolean; untilMs: number } | null {
    return this.trouble;
  }

  /** An attempt begins. */
  begin(): Trial {
    if (this.trouble === null) return this.trial(false);
    const nowMs = this.nowMs();
    if (nowMs < this.trouble.untilMs || this.isProbing(nowMs)) return this.trial(false);
    const trial = this.trial(true);
    this.probe = { trial, endsMs: nowMs + PROBE_MS };
    return trial;
  }

  /** An attempt got a good answer. @returns the failures in a row that it ended */
  succeeded(trial: Trial): number {
    this.answers += 1;
    const ended = this.failuresInARow;
    if (this.trouble === null) this.failuresInARow = 0;
    else if (trial.era === this.era) this.recover();
    return ended;
  }

  /** An attempt failed. @param inARow failures before it, where it had counted as a success until now */
  failed(trial: Trial, fault: Fault, inARow = this.failuresInARow): void {
    this.failuresInARow = Math.max(this.failuresInARow, inARow + 1);
    const ejected = this.trouble?.ejected === true || this.failuresInARow >= EJECTING_FAILURES;
    if (this.trouble) {
      // What began before the trouble says nothing new, except that it is worse than thought.
      if (trial.era === this.era || ejected !== this.trouble.ejected) this.avoid(ejected, fault);
    } else if (ejected || (isSuspicious(fault) && trial.answersBefore === this.answers)) this.avoid(ejected, fault);
  }

  /** A trial is over; without an outcome (the client went away) the next one finds out. */
  ended(trial: Trial): void {
    if (trial === this.probe?.trial) this.probe = null;
  }

  /** What trying a connection has shown, while it could not be reached. */
  reached(connected: boolean): void {
    if (this.trouble === null || this.probing || this.nowMs() < this.trouble.untilMs) return;
    if (connected) this.trouble.unreached = false;
    else this.avoid(this.trouble.ejected, 'unreachable');
  }

  private trial(probe: boolean): Trial {
    return { era: this.era, answersBefore: this.answers, probe };
  }

  private isProbing(nowMs: number): boolean {
    return this.probe !== null && nowMs < this.probe.endsMs;
  }

  private avoid(ejected: boolean, fault: Fault): void {
    const nowMs = this.nowMs();
    if (this.trouble === null) this.forgive(nowMs);
    // What fails within one pause is one strike.
    if (this.trouble === null || nowMs >= this.trouble.untilMs) this.strikes += 1;
    const { firstMs, longestMs } = ejected && !isUnreached(fault) ? PAUSE : SHORT_PAUSE;
    const pauseMs = Math.min(longestMs, firstMs * 2 ** (this.strikes - 1));
    const untilMs = nowMs + pauseMs * (1 - JITTER + 2 * JITTER * this.random());
    this.trouble = { ejected, unreached: isSuspicious(fault), untilMs };
    this.probe = null;
    this.era += 1;
  }

  private forgive(nowMs: number): void {
    this.strikes = Math.max(0, this.strikes - Math.floor((nowMs - this.wellSinceMs) / FORGIVEN_AFTER_MS));
  }

  private recover(): void {
    this.trouble = null;
    this.failuresInARow = 0;
    this.probe = null;
    this.wellSinceMs = this.nowMs();
    this.era += 1;
  }
}

const isUnreached = (fault: Fault): boolean => fault === 'unreachable' || fault === 'refused';
/** One of these is enough to ask others first. */
const isSuspicious = (fault: Fault): boolean => isUnreached(fault) || fault === 'timeout';
