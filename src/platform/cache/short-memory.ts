import { LRUCache } from 'lru-cache';

/**
 * What was read of the database a moment ago, in this process alone: many that ask at once make one query, and nobody gets
 * what is older than the time to live, or was being read when it was forgotten. Failures are not kept.
 */
export class ShortMemory<T extends object> {
  private readonly known: LRUCache<string, T>;
  private readonly loading = new Map<string, Promise<T>>();

  /** @param options how many values at most, and for how long each is good */
  constructor(options: { max: number; ttlMs: number }) {
    this.known = new LRUCache({ max: options.max, ttl: options.ttlMs });
  }

  /** The value under the key, or else what the loader gives; without a promise where it is known, because it is asked on requests. */
  get(key: string, load: () => Promise<T>): T | Promise<T> {
    return this.known.get(key) ?? this.loading.get(key) ?? this.load(key, load);
  }

  /** Loads anew the next time; what is on its way now is not kept. */
  forget(key: string): void {
    this.known.delete(key);
    this.loading.delete(key);
  }

  private load(key: string, load: () => Promise<T>): Promise<T> {
    const start = performance.now(); // what was read is as old as the reading of it
    const run: Promise<T> = load().then(
      (value) => {
        if (this.ends(key, run)) this.known.set(key, value, { start });
        return value;
      },
      (error: unknown) => {
        this.ends(key, run);
        throw error;
      },
    );
    this.loading.set(key, run);
    return run;
  }

  /** Whether the run was still the one that counts. */
  private ends(key: string, run: Promise<T>): boolean {
    return this.loading.get(key) === run && this.loading.delete(key);
  }
}
