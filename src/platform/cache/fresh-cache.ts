import type { Redis } from 'ioredis';
import { newId } from '../../common/ids';
import type { FreshRedis } from './fresh-cache.script';
import type { RedisClient } from './redis';
import { EPOCH, SharedEpoch } from './shared-epoch';
import { ShortMemory } from './short-memory';

const PREFIX = 'switchboard:fresh:';
/** Longer than a statement may take (35 s), a connection waited for, and more than one of both. */
const LONGEST_WORK_MS = 120_000;
/** While Redis is away: what another process changed may stay unseen for so long. */
const MEMORY = { max: 10_000, ttlMs: 1_000 };
/** Keys of one call; a script holds up everybody else. */
const BATCH = 500;

/** What was found, and whether it was in the cache. */
export interface Found<T> {
  value: T;
  hit: boolean;
}

/**
 * A cache for what changes must show at once (docs/decisions/0030). Replicas share it through Redis: whoever reads after
 * `changing` has resolved, on whatever replica, gets what was written or something younger. While Redis is away each process
 * keeps values for a second, in its own memory. Values come out as JSON does: times as text. No call throws because of Redis
 * or waits for it longer than 50 ms at a time.
 */
export class FreshCache {
  private readonly memory = new ShortMemory<object>(MEMORY);
  private readonly loading = new Map<string, Promise<unknown>>();

  /** @param epoch shared with whatever else is kept in the same Redis */
  constructor(
    private readonly redis: RedisClient,
    private readonly epoch = new SharedEpoch(redis),
  ) {}

  /** The value under the key, or else what the loader gives, kept for `ttlMs`. Errors are not kept. Do not change the value. */
  async get<T extends object>(key: string, ttlMs: number, load: () => Promise<T>): Promise<Found<T>> {
    if (!(await this.epoch.isTrusted())) return this.fromMemory(key, load);
    const answer = await this.redis.use((redis) => redis.mget(namesOf(key)[0], EPOCH));
    const epoch = answer?.[1];
    if (typeof epoch !== 'string') {
      this.epoch.doubt();
      return this.fromMemory(key, load);
    }
    const known = valueOf<T>(answer?.[0], epoch);
    if (known) return { value: known, hit: true };
    return { value: await this.loadOnce(key, { epoch, ttlMs }, load), hit: false };
  }

  /**
   * Does work that changes what is under the keys: from its beginning to its end nothing is kept under them, and when it has
   * ended, well or not, all that was kept before is gone. A process that dies within leaves nothing stale: for two minutes
   * nothing is kept. The transaction belongs inside, the call not inside a transaction.
   */
  async changing<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const writer = newId();
    await this.tell(keys, (redis, names) => redis.freshBegin(names.length, ...names, writer, LONGEST_WORK_MS));
    try {
      return await work();
    } finally {
      await this.forget(keys, writer);
    }
  }

  /** Forgets the keys after a change that is committed, where `changing` could not be put around it. */
  changed(keys: readonly string[]): Promise<void> {
    return this.forget(keys, '');
  }

  /** Ends what goes on in the background. */
  close(): void {
    this.epoch.close();
  }

  private async forget(keys: readonly string[], writer: string): Promise<void> {
    if (writer === '') await this.tellEnd(keys, writer);
    else await this.epoch.end(writer, () => this.tellEnd(keys, writer));
    for (const key of keys) this.memory.forget(key);
  }

  private tellEnd(keys: readonly string[], writer: string): Promise<boolean> {
    return this.tell(keys, (redis, names) => redis.freshEnd(names.length, ...names, writer));
  }

  private async fromMemory<T extends object>(key: string, load: () => Promise<T>): Promise<Found<T>> {
    const known = this.memory.get(key, load);
    return { value: (await known) as T, hit: !(known instanceof Promise) };
  }

  /** One run for all that ask for the same generation: who asks after a change has another one. */
  private async loadOnce<T extends object>(key: string, kept: Kept, load: () => Promise<T>): Promise<T> {
    const [, generation, writers] = namesOf(key);
    const ticket = await this.redis.use((redis) =>
      (redis as FreshRedis).freshTicket(generation, writers, newId(), LONGEST_WORK_MS),
    );
    if (ticket === undefined) this.epoch.doubt();
    if (!ticket) return load();
    const flight = `${key} ${ticket}`;
    const running = this.loading.get(flight) as Promise<T> | undefined;
    if (running) return running;
    const run = this.loadAndKeep(key, { ...kept, ticket }, load).finally(() => this.loading.delete(flight));
    this.loading.set(flight, run);
    return run;
  }

  private async loadAndKeep<T>(
    key: string,
    { epoch, ttlMs, ticket }: Kept & { ticket: string },
    load: () => Promise<T>,
  ): Promise<T> {
    const value = await load();
    const [name, generation] = namesOf(key);
    const text = `${epoch} ${JSON.stringify(value)}`;
    await this.redis.use((redis) =>
      (redis as FreshRedis).freshKeep(name, generation, EPOCH, text, ttlMs, ticket, epoch),
    );
    return value;
  }

  /** Tells Redis of a change; where it cannot be told (false), all that it has is given up as soon as it can. */
  private async tell(
    keys: readonly string[],
    command: (redis: FreshRedis, names: string[]) => Promise<number>,
  ): Promise<boolean> {
    if (this.redis.state === 'off') return true;
    for (let first = 0; first < keys.length; first += BATCH) {
      const names = keys.slice(first, first + BATCH).flatMap(namesOf);
      const told = await this.redis.use((redis: Redis) => command(redis as FreshRedis, names));
      if (told !== undefined) continue;
      this.epoch.doubt();
      return false;
    }
    return true;
  }
}

/** How a value is kept. */
interface Kept {
  epoch: string;
  ttlMs: number;
}

const namesOf = (key: string): [value: string, generation: string, writers: string] => [
  `${PREFIX}${key}:value`,
  `${PREFIX}${key}:generation`,
  `${PREFIX}${key}:writers`,
];

/** What is kept, where it is of this epoch and an object. */
function valueOf<T extends object>(text: string | null | undefined, epoch: string): T | undefined {
  if (!text?.startsWith(`${epoch} {`)) return undefined;
  try {
    return JSON.parse(text.slice(epoch.length + 1)) as T;
  } catch {
    return undefined;
  }
}
