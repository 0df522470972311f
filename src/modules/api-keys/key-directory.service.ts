import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../../common/actor';
import { networksOf } from '../../common/cidr';
import type { Permission, TenantRole } from '../../common/permissions';
import { after, type Soon } from '../../common/soon';
import { type Answer, LastingMemory } from '../../platform/cache/lasting-memory';
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
  private readonly keys: LastingMemory<LiveKey | null>;
  /** Apart from the keys, so that made-up ones cannot push real ones out. */
  private readonly missing = new LRUCache<string, true>({ max: MISSING_MAX, ttl: TTL_MS });
  /** Anybody can send made-up keys: they get a small share of the database, and stand in no real key's way. */
  private readonly unknownKeys = new WaitingLine(2, 1_000);

  constructor(
    private readonly system: SystemDatabase,
    events: EventBus,
  ) {
    this.keys = new LastingMemory({
      // What was a real key does not wait behind made-up ones.
      load: (hash, known) => (known ? this.ask(hash) : this.unknownKeys.run(() => this.ask(hash))),
      keeps: (hash, key) => {
        if (!key) this.missing.set(hash, true);
        return key !== null;
      },
      ...{ max: FOUND_MAX, ttlMs: TTL_MS, staleMs: STALE_MS, servesOutdated: false },
      ...{ patienceMs: PATIENCE_MS, retryMs: RETRY_MS },
    });
    events.hears('tenant.changed', ({ tenantId }) => this.forget((actor) => actor.tenantId === tenantId));
    events.hears('key.changed', ({ keyId }) => this.forget((actor) => actor.id === keyId));
  }

  /** Look-ups that this process answered by itself, and those for which it asked or waited, since the start. */
  get lookUps(): { readonly hits: number; readonly misses: number } {
    return this.keys.lookUps;
  }

  /**
   * The key of this hash (base64url), of a suspended tenant too; null when there is none. Many asking at once make one query.
   * @throws DATABASE_ERROR, and RATE_LIMITED where too many made-up keys are asked for
   */
  find(hash: string): Soon<LiveKey | null> {
    if (!this.missing.has(hash)) return after(this.keys.get(hash), ifLive);
    this.keys.lookUps.hits += 1;
    return null;
  }

  /** Whether to find it means to ask the database for what was never seen here: perhaps for a made-up key. */
  isNew(hash: string): boolean {
    return !this.missing.has(hash) && this.keys.isNew(hash);
  }

  /** Asks the database the next time for such keys, and for all that was not found; what is on its way now is not kept. */
  private forget(whose: (actor: Actor) => boolean): void {
    this.keys.outdateAll((key) => key !== null && whose(key.actor));
    this.missing.clear();
  }

  private async ask(hash: string): Promise<Answer<LiveKey | null>> {
    const [row] = await this.system.run<KeyRow>('apiKeyByHash', [Buffer.from(hash, 'base64url')]);
    return { value: row ? liveKeyOf(row) : null };
  }
}

const ifLive = (key: LiveKey | null): LiveKey | null => (key && key.untilMs > Date.now() ? key : null);

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
