import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommonErrors } from '../../common/common.errors';
import { waitedFor } from '../../common/deadline';
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
  /** So long anybody waits for one answer of the source; it counts as none then, and the source is asked again. */
  deadlineMs: number;
  /** So long after a failure the source is not asked for what has a former value. */
  retryMs: number;
  /** Told of each value that counts from now on. @returns whether it is kept; all are, unless told otherwise */
  keeps?: (key: string, value: T) => boolean;
}

/** What is being asked for, or will be. */
interface Load<T> {
  readonly promise: Promise<T>;
  /** When it was first wanted. */
  readonly wantedAtMs: number;
  readonly begin: () => void;
  /** A change was heard of since it began. */
  outdated: boolean;
  /** Begins when this one has ended, for all who asked after the change. */
  next: Load<T> | undefined;
}

/**
 * What a source elsewhere said a moment ago, in this process: given without a promise as long as it is good, asked for once
 * however many want it at once, and served for longer while the source has no answer. What was being asked for when a change
 * was heard of is given to those who waited already, and not kept; who comes later waits until it has ended and is asked for
 * once more. However often it changes, the source has one question for a key at a time, beside those that it left without an
 * answer for longer than the deadline: nobody waits for these, and what they say in the end is not kept.
 */
export class LastingMemory<T> {
  private readonly known: LRUCache<string, Known<T>>;
  /** Begun and not ended, one for a key. */
  private readonly loading = new Map<string, Load<T>>();

  constructor(private readonly options: LastingMemoryOptions<T>) {
    const { max, weight } = options;
    this.known = new LRUCache({
      max,
      ...(weight && { maxSize: weight.max, sizeCalculation: ({ value }: Known<T>) => weight.of(value) }),
    });
  }

  /** Without a promise where it is known. @throws what the source throws, DATABASE_ERROR when it is silent, where nothing may serve in its place */
  get(key: string): Soon<T> {
    const known = this.known.get(key);
    const ageMs = known && !known.outdated ? ageOf(known) : Infinity;
    if (!known || ageMs >= this.options.ttlMs) return known ? this.again(key, known) : this.load(key).promise;
    if (ageMs >= (this.options.refreshMs ?? Infinity)) this.refresh(key, known);
    return known.value;
  }

  /** Whether it is not known, and nobody waits for it whom one more could join. */
  isNew(key: string): boolean {
    return !this.known.has(key) && !this.awaited(key);
  }

  /** A change of it was heard of: it is asked for the next time. */
  outdate(key: string): void {
    const known = this.known.peek(key);
    if (known) markOutdated(known);
    const load = this.loading.get(key);
    if (load) load.outdated = true; // what is on its way may be of before the change
  }

  /** The same of all values that the change may be of; whatever is on its way is not kept. */
  outdateAll(isMeant: (value: T) => boolean): void {
    for (const known of this.known.values()) if (isMeant(known.value)) markOutdated(known);
    for (const load of this.loading.values()) load.outdated = true;
  }

  private refresh(key: string, known: Known<T>): void {
    if (this.loading.has(key) || performance.now() < known.retryAtMs) return;
    this.load(key).promise.catch(() => undefined);
  }

  /** What the source says now, or said last where it has no answer in time. */
  private again(key: string, known: Known<T>): Soon<T> {
    if (!this.mayServe(known)) return this.load(key).promise;
    if (performance.now() < known.retryAtMs) return known.value;
    const { promise, wantedAtMs } = this.load(key);
    const answer = promise.catch((error: unknown) => {
      // A change may have been heard of meanwhile.
      if (!this.mayServe(known)) throw error;
      return known.value;
    });
    if (known.outdated) return answer;
    return this.inTime(answer, wantedAtMs + this.options.patienceMs - performance.now(), known);
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

  private load(key: string): Load<T> {
    const awaited = this.awaited(key);
    if (awaited) return awaited;
    const { promise, resolve } = Promise.withResolvers<T>();
    const load: Load<T> = {
      ...{ promise, wantedAtMs: performance.now(), outdated: false, next: undefined },
      begin: () => {
        this.loading.set(key, load);
        resolve(this.ask(key, load));
      },
    };
    const running = this.loading.get(key);
    if (running) running.next = load;
    else load.begin();
    return load;
  }

  /** What one who asks now may wait for: it began after the last change, or is still to begin. */
  private awaited(key: string): Load<T> | undefined {
    const running = this.loading.get(key);
    return running?.outdated ? running.next : running;
  }

  private async ask(key: string, load: Load<T>): Promise<T> {
    const askedAtMs = performance.now();
    try {
      const { value, ageMs = 0 } = await this.answerOf(key);
      if (!load.outdated) this.keep(key, value, askedAtMs - ageMs);
      return value;
    } catch (error) {
      const former = load.outdated ? undefined : this.known.peek(key);
      if (former) former.retryAtMs = performance.now() + this.options.retryMs;
      throw error;
    } finally {
      this.loading.delete(key);
      load.next?.begin(); // at once: nobody may come in between
    }
  }

  private async answerOf(key: string): Promise<Answer<T>> {
    try {
      return await waitedFor(this.options.deadlineMs, () => this.options.load(key, this.known.peek(key)));
    } catch (error) {
      throw isTimeout(error) ? CommonErrors.database(error) : error;
    }
  }

  private keep(key: string, value: T, askedAtMs: number): void {
    const { keeps } = this.options;
    if (keeps && !keeps(key, value)) this.known.delete(key);
    else this.known.set(key, { value, askedAtMs, outdated: false, retryAtMs: 0 });
  }
}

const LATE = Symbol('late');

const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError';

const ageOf = ({ askedAtMs }: Known<unknown>): number => performance.now() - askedAtMs;

function markOutdated(known: Known<unknown>): void {
  known.outdated = true;
  known.retryAtMs = 0;
}
