import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../common/ids';
import type { RedisClient } from '../cache/redis';
import { EPOCH, type SharedEpoch } from '../cache/shared-epoch';
import { type SecretBox, SecretBoxError } from '../crypto/secret-box';
import type { FactsRedis } from './shared-facts.script';

const PREFIX = 'switchboard:facts:';
/** Made new with each change of anything. */
const CHANGES = `${PREFIX}changes`;
/** From before it was read, a fact counts for so long, in however many places it is kept on its way (spec). */
export const FACT_TTL_MS = 5_000;
/** Longer than a statement may take (35 s), a connection waited for, and more than one of both. */
const LONGEST_WORK_MS = 120_000;
/** So long one who is reading a fact anew has it to itself. */
const LEASE_MS = 1_000;
/** The others look again so often, for so long, and then read it themselves. */
const LOOK_EVERY_MS = 5;
const PATIENCE_MS = 250;
const MOST_LOOKS = PATIENCE_MS / LOOK_EVERY_MS;

/**
 * What is kept. Part of a fact's name in Redis, with the number of its shape: count that up when the shape changes, for
 * processes of two versions may share a Redis.
 */
const SHAPES = { key: 1, tenant: 1, routes: 1 };
export type FactKind = keyof typeof SHAPES;
const KINDS = Object.keys(SHAPES) as FactKind[];

/** What the database says: the value, and what must change for it to change. */
export interface Fact<T> {
  readonly about: string;
  readonly value: T;
}

/** A fact, or null for none, and how long ago it was read at most, counted to when it was asked for. */
export interface FoundFact<T> {
  readonly value: T | null;
  readonly ageMs: number;
}

/** Which fact, and how it is read of the database; null where there is none, which is not kept. */
export interface FactQuestion<T> {
  readonly kind: FactKind;
  readonly id: string;
  readonly read: () => Promise<Fact<T> | null>;
  /** One that is older is read anew by one of all who ask; the others get the older one meanwhile. FACT_TTL_MS unless told. */
  readonly youngerThanMs?: number;
}

/** A fact as it lies in Redis, sealed. */
interface Kept<T> extends Fact<T> {
  /** When the reading of it began, by the clock of Redis. */
  readonly atMs: number;
}

interface Seen {
  /** Whose look it was: another one each time. */
  asker: string;
  text: string;
  changes: string;
  epoch: string;
  nowMs: number;
  leased: boolean;
}

/**
 * What each process asks the database about over and over, shared by replicas through Redis (docs/decisions/0043): one of all
 * who miss it at once reads it. It counts for 5 s from before it was read, and its age goes with it to whoever keeps it
 * further. From the end of `changing` on nothing that was read before is given to anybody; where Redis could not be told of a
 * change, or is away, nothing is given that is older than 5 s. Sealed: who can write to Redis can make none, and reads none.
 * No call throws because of Redis or waits for it longer than 50 ms at a time, nor for another process longer than 0.25 s.
 */
@Injectable()
export class SharedFacts {
  /** By kind: facts that Redis had, and those that were read of the database, since the start. */
  readonly counts = Object.fromEntries(KINDS.map((kind) => [kind, { hits: 0, misses: 0 }])) as Record<
    FactKind,
    { hits: number; misses: number }
  >;

  constructor(
    private readonly redis: RedisClient,
    private readonly epoch: SharedEpoch,
    private readonly box: SecretBox,
  ) {}

  /** The fact, of Redis or else of the database. Comes out as JSON does. @throws what reading it throws */
  async find<T extends object>(question: FactQuestion<T>): Promise<FoundFact<T>> {
    const isTrusted = this.epoch.isTrusted();
    if (isTrusted === false || !(await isTrusted)) return this.read(question); // at once without Redis
    const untilMs = performance.now() + PATIENCE_MS;
    let voided = '';
    for (let looks = 1; ; looks += 1) {
      const seen = await this.look(question, voided);
      if (!seen) return this.read(question);
      const kept = seen.leased ? null : await this.counting<T>(question, seen);
      if (kept) return this.hit(question, kept.value, seen.nowMs - kept.atMs);
      if (seen.leased || looks === MOST_LOOKS || performance.now() >= untilMs) return this.readAndKeep(question, seen);
      // What is void has to be made anew: the next look says so at once. Else somebody is at it.
      if (seen.text !== '' && seen.text !== voided) voided = seen.text;
      else await sleep(LOOK_EVERY_MS);
    }
  }

  /**
   * Does work that changes facts about this: from its beginning to its end none is kept, and when it has ended, well or not,
   * all that were kept before are void. A process that dies within leaves none: for two minutes none is kept. The transaction
   * belongs inside, the call not inside a transaction.
   */
  async changing<T>(about: string, work: () => Promise<T>): Promise<T> {
    const writer = newId();
    const names = [CHANGES, ...namesAbout(about)];
    await this.tell((redis) => redis.factsBegin(...names, writer, LONGEST_WORK_MS));
    try {
      return await work();
    } finally {
      await this.epoch.end(writer, () =>
        this.tell((redis) => redis.factsEnd(...names, writer, LONGEST_WORK_MS, newId())),
      );
    }
  }

  private async look(question: FactQuestion<object>, voided: string): Promise<Seen | null> {
    const asker = newId();
    const leastLeftMs = FACT_TTL_MS - (question.youngerThanMs ?? FACT_TTL_MS);
    const words = [...namesOf(question), CHANGES, EPOCH, asker, LONGEST_WORK_MS, LEASE_MS, voided, leastLeftMs];
    const answer = await this.use((redis) => redis.factLook(...words));
    if (!answer) return null;
    const [text, changes, epoch, nowMs, leased] = answer;
    // Redis has lost what it had: this process makes an end of the rest, too.
    if (epoch === '') this.epoch.doubt();
    return { asker, text, changes, epoch, nowMs, leased: leased === 1 };
  }

  /** What was seen, where it counts: of this epoch and time, as it was sealed, and nothing has changed since. */
  private async counting<T>(question: FactQuestion<T>, seen: Seen): Promise<Kept<T> | null> {
    const [epoch, generation, sealed] = seen.text.split(' ');
    if (sealed === undefined || epoch !== seen.epoch) return null;
    const kept = this.opened<T>(sealed, namesOf(question)[0]);
    const ageMs = kept ? seen.nowMs - kept.atMs : Infinity;
    if (!kept || ageMs < 0 || ageMs >= FACT_TTL_MS) return null;
    const present = await this.use((redis) => redis.get(namesAbout(kept.about)[0]));
    return present === generation ? kept : null;
  }

  private opened<T>(sealed: string, name: string): Kept<T> | null {
    try {
      return JSON.parse(this.box.open(sealed, name)) as Kept<T>;
    } catch (error) {
      if (error instanceof SecretBoxError) return null;
      throw error;
    }
  }

  private async readAndKeep<T>(question: FactQuestion<T>, seen: Seen): Promise<FoundFact<T>> {
    this.counts[question.kind].misses += 1;
    const names = namesOf(question);
    let fact: Fact<T> | null = null;
    try {
      fact = await question.read();
    } finally {
      if (!fact) await this.use((redis) => redis.factRelease(...names, seen.asker));
    }
    if (!fact) return { value: null, ageMs: 0 };
    const { about, value } = fact;
    const sealed = this.box.seal(JSON.stringify({ about, value, atMs: seen.nowMs } satisfies Kept<T>), names[0]);
    const whole = [...names, CHANGES, EPOCH, ...namesAbout(about), seen.asker, seen.changes, seen.epoch];
    await this.use((redis) => redis.factKeep(...whole, seen.nowMs, FACT_TTL_MS, LONGEST_WORK_MS, sealed));
    return { value, ageMs: 0 };
  }

  private async read<T>({ kind, read }: FactQuestion<T>): Promise<FoundFact<T>> {
    this.counts[kind].misses += 1;
    return { value: (await read())?.value ?? null, ageMs: 0 };
  }

  private hit<T>({ kind }: FactQuestion<T>, value: T, ageMs: number): FoundFact<T> {
    this.counts[kind].hits += 1;
    return { value, ageMs };
  }

  /** Tells Redis of a change; where it cannot be told (false), all that it has is given up as soon as it can. */
  private async tell(command: (redis: FactsRedis) => Promise<number>): Promise<boolean> {
    if (this.redis.state === 'off' || (await this.use(command)) !== undefined) return true;
    this.epoch.doubt();
    return false;
  }

  private use<T>(command: (redis: FactsRedis) => Promise<T>): Promise<T | undefined> {
    return this.redis.use((redis: Redis) => command(redis as FactsRedis));
  }
}

const namesOf = ({ kind, id }: { kind: FactKind; id: string }): [value: string, lease: string] => {
  const name = `${PREFIX}${kind}-${SHAPES[kind]}:${id}`;
  return [`${name}:value`, `${name}:lease`];
};

const namesAbout = (about: string): [generation: string, writers: string] => [
  `${PREFIX}about:${about}:generation`,
  `${PREFIX}about:${about}:writers`,
];
