import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../common/actor';
import { networksOf } from '../../common/cidr';
import type { Permission, TenantRole } from '../../common/permissions';
import { after, type Soon } from '../../common/soon';
import { WaitingLine } from '../../platform/crypto/waiting-line';
import { SystemDatabase } from '../../platform/database/system-database';
import { EventBus } from '../../platform/events/domain-events';

/** A key that may be used now. */
export interface LiveKey {
  /** Who acts with it. */
  actor: Actor;
  prefix: string;
  /** When it, or this former secret of it, ends, in milliseconds of the Unix clock; Infinity where it does not. */
  untilMs: number;
  /** Whether its tenant is suspended: then it opens nothing, and only the gateway says why. */
  suspended: boolean;
  /** Whether it may be used from the address. */
  allows: (address: string) => boolean;
}

interface KeyRow {
  tenant_id: string;
  id: string;
  prefix: string;
  role: TenantRole | null;
  scopes: Permission[] | null;
  requests_per_minute: number | null;
  allowed_cidrs: string[];
  until: Date | null;
  suspended: boolean;
}

interface Found {
  key: LiveKey;
  /** What it says held when it was asked, by the clock that never goes back. */
  askedAtMs: number;
  /** Nobody asks again before: the database has just had no answer. */
  retryAtMs: number;
}

interface Load {
  promise: Promise<LiveKey | null>;
  startedAtMs: number;
}

/** How long a change made by another replica may stay unnoticed here (spec: 5 s at most). */
const TTL_MS = 5_000;
/** How long after it was last confirmed a key serves while the database has no answer: nobody can revoke one then. */
const STALE_MS = 30_000;
/** A database that needs longer for one row has no answer: who has a former one waits no longer. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 1_000;
const FOUND_MAX = 20_000;
const MISSING_MAX = 10_000;

/**
 * Which keys are live, by the hash of their secret: asked of the database once in 5 s for each key, and at once after this
 * process has changed one, or another that shares a Redis with it. While the database has no answer, a key serves for 30 s after it was
 * last confirmed; never one of which a change was heard.
 */
@Injectable()
export class KeyDirectory {
  /** Look-ups that this process answered by itself, and those for which it asked or waited, since the start. */
  readonly lookUps = { hits: 0, misses: 0 };
  private readonly found = new LRUCache<string, Found>({ max: FOUND_MAX });
  /** Apart from the found, so that made-up keys cannot push real ones out. */
  private readonly missing = new LRUCache<string, true>({ max: MISSING_MAX, ttl: TTL_MS });
  private readonly loading = new Map<string, Load>();
  /** Anybody can send made-up keys: they get a small share of the database, and stand in no real key's way. */
  private readonly unknownKeys = new WaitingLine(2, 1_000);

  constructor(
    private readonly system: SystemDatabase,
    events: EventBus,
  ) {
    events.hears('tenant.changed', ({ tenantId }) => this.forget((actor) => actor.tenantId === tenantId));
    events.hears('key.changed', ({ keyId }) => this.forget((actor) => actor.id === keyId));
  }

  /**
   * The key of this hash (base64url), of a suspended tenant too; null when there is none. Many asking at once make one query.
   * @throws DATABASE_ERROR, and RATE_LIMITED where too many made-up keys are asked for
   */
  find(hash: string): Soon<LiveKey | null> {
    const known = this.found.get(hash);
    const isFresh = known !== undefined && ageOf(known) < TTL_MS;
    if (isFresh || this.missing.has(hash)) {
      this.lookUps.hits += 1;
      return isFresh ? ifLive(known.key) : null;
    }
    this.lookUps.misses += 1;
    return after(known ? this.again(hash, known) : this.load(hash, false).promise, (key) => key && ifLive(key));
  }

  /** Whether to find it means to ask the database for what was never seen here: perhaps for a made-up key. */
  isNew(hash: string): boolean {
    return !this.found.has(hash) && !this.missing.has(hash) && !this.loading.has(hash);
  }

  /**
   * Asks the database the next time for such keys, and for all that was not found; what is on its way now is not kept. They
   * stay known as keys that were real, so that they do not wait behind made-up ones.
   */
  private forget(whose: (actor: Actor) => boolean): void {
    for (const found of this.found.values()) if (whose(found.key.actor)) found.askedAtMs = -Infinity;
    this.missing.clear();
    this.loading.clear();
  }

  /** What the database says of a key whose time is over, or what it said last where it does not answer in time. */
  private again(hash: string, known: Found): Soon<LiveKey | null> {
    if (!mayServe(known)) return this.load(hash, true).promise;
    if (performance.now() < known.retryAtMs) return known.key;
    const load = this.load(hash, true);
    const answer = load.promise.catch((error: unknown) => {
      // A change may have been heard of meanwhile.
      if (!mayServe(known)) throw error;
      return known.key;
    });
    return this.inTime(answer, load.startedAtMs + PATIENCE_MS - performance.now(), known);
  }

  private async inTime(answer: Promise<LiveKey | null>, waitMs: number, known: Found): Promise<LiveKey | null> {
    if (waitMs <= 0) {
      answer.catch(() => undefined); // others wait for it, or nobody does
      return known.key;
    }
    const over = new AbortController();
    try {
      const late = sleep(waitMs, LATE, { signal: over.signal, ref: false });
      const first = await Promise.race([answer, late]);
      if (first !== LATE) return first;
      return mayServe(known) ? known.key : await answer;
    } finally {
      over.abort();
    }
  }

  private load(hash: string, known: boolean): Load {
    const running = this.loading.get(hash);
    if (running) return running;
    const startedAtMs = performance.now();
    const ask = () => this.ask(hash);
    const load: Load = {
      startedAtMs,
      promise: (known ? ask() : this.unknownKeys.run(ask)).then(
        (key) => {
          if (this.ends(hash, load)) this.keep(hash, key, startedAtMs);
          return key;
        },
        (error: unknown) => {
          const former = this.ends(hash, load) && this.found.peek(hash);
          if (former) former.retryAtMs = performance.now() + RETRY_MS;
          throw error;
        },
      ),
    };
    this.loading.set(hash, load);
    return load;
  }

  /** Whether the load was still the one that counts. */
  private ends(hash: string, load: Load): boolean {
    return this.loading.get(hash) === load && this.loading.delete(hash);
  }

  private keep(hash: string, key: LiveKey | null, askedAtMs: number): void {
    if (key) return void this.found.set(hash, { key, askedAtMs, retryAtMs: 0 });
    this.found.delete(hash);
    this.missing.set(hash, true);
  }

  private async ask(hash: string): Promise<LiveKey | null> {
    const [row] = await this.system.run<KeyRow>('apiKeyByHash', [Buffer.from(hash, 'base64url')]);
    return row ? liveKeyOf(row) : null;
  }
}

const LATE = Symbol('late');

const ageOf = ({ askedAtMs }: Found): number => performance.now() - askedAtMs;

const mayServe = (known: Found): boolean => ageOf(known) < STALE_MS;

const ifLive = (key: LiveKey): LiveKey | null => (key.untilMs > Date.now() ? key : null);

const ANYWHERE = (): boolean => true;

function liveKeyOf(row: KeyRow): LiveKey {
  const actor: Actor = Object.freeze({
    kind: 'key',
    id: row.id,
    tenantId: row.tenant_id,
    role: row.role,
    scopes: row.scopes,
    requestsPerMinute: row.requests_per_minute,
    loginId: null,
  });
  const { prefix, until, suspended, allowed_cidrs: cidrs } = row;
  const allows = cidrs.length === 0 ? ANYWHERE : networksOf(cidrs);
  return { actor, prefix, untilMs: until?.getTime() ?? Infinity, suspended, allows };
}
