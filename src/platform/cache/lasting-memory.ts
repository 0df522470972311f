import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Soon } from '../../common/soon';

/** A value that somebody was given, and may be given again. */
export interface Known<T> {
  readonly value: T;
  /** When the source said so, by the clock that never goes back. */
  readonly askedAtMs: number;
  /** A change was heard of since. */
  outdated: boolean;
  /** Nobody asks again before: the source has just had no answer. */
  retryAtMs: number;
}

/** What the source says. */
export interface Answer<T> {
  readonly value: T;
  /** How old it was when it was asked for; 0 unless told. */
  readonly ageMs?: number;
}

export interface LastingMemoryOptions<T> {
  /** Asks the source. @param known what it said before, where that is remembered */
  load: (key: string, known: Known<T> | undefined) => Promise<Answer<T>>;
  /** Values at most. */
  max: number;
  /** What values weigh, and all together at most. */
  weight?: { of: (value: T) => number; max: number };
  /** For how long a value is good. */
  ttlMs: number;
  /** From this age on the source is asked beside those who get the value; never, unless told. */
  refreshMs?: number;
  /** Up to this age a value serves while the source has no answer. */
  staleMs: number;
  /** Whether one of which a change was heard serves as well where the source has failed; never while it is only slow. */
  servesOutdated: boolean;
  /** So long one waits for the source who has a former value. */
  patienceMs: number;
  /** So long after a failure the source is not asked for what has a former value. */
  retryMs: number;
  /** Told of each value that counts from now on. @returns whether it is kept; all are, unless told otherwise */
  keeps?: (key: string, value: T) => boolean;
}

interface Load<T> {
  promise: Promise<T>;
  startedAtMs: number;
}

/**
 * What a source elsewhere said a moment ago, in this process: given without a promise as long as it is good, asked for once
 * however many want it at once, and served for longer while the source has no answer. What was being asked for when a change
 * was heard of is given to those who waited already, and not kept.
 */
export class LastingMemory<T> {
  /** Values that were at hand, and those that somebody waited for, since the start. */
  readonly lookUps = { hits: 0, misses: 0 };
  private readonly known: LRUCache<string, Known<T>>;
  private readonly loading = new Map<string, Load<T>>();

  constructor(private readonly options: LastingMemoryOptions<T>) {
    const { max, weight } = options;
    this.known = new LRUCache({
      max,
      ...(weight && { maxSize: weight.max, sizeCalculation: ({ value }: Known<T>) => weight.of(value) }),
    });
  }

  /** Without a promise where it is known. @throws what the source throws, where nothing may serve in its place */
  get(key: string): Soon<T> {
    const known = this.known.get(key);
    const ageMs = known && !known.outdated ? ageOf(known) : Infinity;
    if (!known || ageMs >= this.options.ttlMs) {
      this.lookUps.misses += 1;
      return known ? this.again(key, known) : this.load(key, undefined).promise;
    }
    this.lookUps.hits += 1;
    if (ageMs >= (this.options.refreshMs ?? Infinity)) this.refresh(key, known);
    return known.value;
  }

  /** Whether it was never asked for, or is forgotten altogether. */
  isNew(key: string): boolean {
    return !this.known.has(key) && !this.loading.has(key);
  }

  /** A change of it was heard of: it is asked for the next time. */
  outdate(key: string): void {
    const known = this.known.peek(key);
    if (known) markOutdated(known);
    this.loading.delete(key); // what is on its way may be of before the change
  }

  /** The same of all values that the change may be of; whatever is on its way is not kept. */
  outdateAll(isMeant: (value: T) => boolean): void {
    for (const known of this.known.values()) if (isMeant(known.value)) markOutdated(known);
    this.loading.clear();
  }

  private refresh(key: string, known: Known<T>): void {
    if (this.loading.has(key) || performance.now() < known.retryAtMs) return;
    this.load(key, known).promise.catch(() => undefined);
  }

  /** What the source says now, or said last where it has no answer in time. */
  private again(key: string, known: Known<T>): Soon<T> {
    if (!this.mayServe(known)) return this.load(key, known).promise;
    if (performance.now() < known.retryAtMs) return known.value;
    const { promise, startedAtMs } = this.load(key, known);
    const answer = promise.catch((error: unknown) => {
      // A change may have been heard of meanwhile.
      if (!this.mayServe(known)) throw error;
      return known.value;
    });
    if (known.outdated) return answer;
    return this.inTime(answer, startedAtMs + this.options.patienceMs - performance.now(), known);
  }

  private mayServe(known: Known<T>): boolean {
    return ageOf(known) < this.options.staleMs && (this.options.servesOutdated || !known.outdated);
  }

  private async inTime(answer: Promise<T>, waitMs: number, known: Known<T>): Promise<T> {
    if (waitMs <= 0) {
      answer.catch(() => undefined); // others wait for it, or nobody does
      return known.value;
    }
    const over = new AbortController();
    try {
      const first = await Promise.race([answer, sleep(waitMs, LATE, { signal: over.signal, ref: false })]);
      if (first !== LATE) return first;
      return this.mayServe(known) ? known.value : await answer;
    } finally {
      over.abort();
    }
  }

  private load(key: string, known: Known<T> | undefined): Load<T> {
    const running = this.loading.get(key);
    if (running) return running;
    const startedAtMs = performance.now();
    const load: Load<T> = {
      startedAtMs,
      promise: this.options.load(key, known).then(
        ({ value, ageMs = 0 }) => {
          if (this.ends(key, load)) this.keep(key, value, startedAtMs - ageMs);
          return value;
        },
        (error: unknown) => {
          const former = this.ends(key, load) && this.known.peek(key);
          if (former) former.retryAtMs = performance.now() + this.options.retryMs;
          throw error;
        },
      ),
    };
    this.loading.set(key, load);
    return load;
  }

  /** Whether the load was still the one that counts. */
  private ends(key: string, load: Load<T>): boolean {
    return this.loading.get(key) === load && this.loading.delete(key);
  }

  private keep(key: string, value: T, askedAtMs: number): void {
    const { keeps } = this.options;
    if (keeps && !keeps(key, value)) this.known.delete(key);
    else this.known.set(key, { value, askedAtMs, outdated: false, retryAtMs: 0 });
  }
}

const LATE = Symbol('late');

const ageOf = ({ askedAtMs }: Known<unknown>): number => performance.now() - askedAtMs;

function markOutdated(known: Known<unknown>): void {
  known.outdated = true;
  known.retryAtMs = 0;
}
