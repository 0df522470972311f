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
import { accessOf } from '../../platform/facts/access-changes';
import { type Fact, FACT_TTL_MS, SharedFacts } from '../../platform/facts/shared-facts';

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

/** The row as replicas share it: as it comes out of JSON again. */
type KeyFact = Omit<KeyRow, 'until'> & { until_ms: number | null };

/** How long a change made by another replica may stay unnoticed here: as long as a fact may be old. */
const TTL_MS = FACT_TTL_MS;
/** From this age on a key in use is asked for anew beside the requests, by one process for all, so that none has to wait for it. */
const REFRESH_MS = 3_500;
/** How long after it was last confirmed a key serves while the database has no answer: nobody can revoke one then. */
const STALE_MS = 30_000;
/** A database that needs longer for one row has no answer: who has a former one waits no longer. */
const PATIENCE_MS = 1_000;
/** Who has none waits so long, and then gets 503. */
const DEADLINE_MS = 5_000;
const RETRY_MS = 1_000;
const FOUND_MAX = 20_000;
const MISSING_MAX = 10_000;

/**
 * Which keys are live, by the hash of their secret: of this process, else of what replicas share through Redis, else of the
 * database, which is asked once in some 4 s for each key in use by all of them together, and at once after one of them has changed it. While the
 * database has no answer, a key serves for 30 s after it was last confirmed; never one of which a change was heard.
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
    private readonly facts: SharedFacts,
    events: EventBus,
  ) {
    this.keys = new LastingMemory({
      load: (hash, known) => this.load(hash, known !== undefined),
      keeps: (hash, key) => {
        if (!key) this.missing.set(hash, true);
        return key !== null;
      },
      ...{ max: FOUND_MAX, ttlMs: TTL_MS, refreshMs: REFRESH_MS, staleMs: STALE_MS, servesOutdated: false },
      ...{ patienceMs: PATIENCE_MS, deadlineMs: DEADLINE_MS, retryMs: RETRY_MS },
    });
    events.hears('tenant.changed', ({ tenantId }) => this.forget((actor) => actor.tenantId === tenantId));
    events.hears('key.changed', ({ keyId }) => this.forget((actor) => actor.id === keyId));
  }

  /**
   * The key of this hash (base64url), of a suspended tenant too; null when there is none. Many asking at once make one query.
   * @throws DATABASE_ERROR, and RATE_LIMITED where too many made-up keys are asked for
   */
  find(hash: string): Soon<LiveKey | null> {
    return this.missing.has(hash) ? null : after(this.keys.get(hash), ifLive);
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

  private async load(hash: string, wasReal: boolean): Promise<Answer<LiveKey | null>> {
    const read = () => this.read(hash);
    // What was a real key, and what Redis knows as one, does not wait behind made-up ones.
    const inTurn = wasReal ? read : () => this.unknownKeys.run(read);
    const question = { kind: 'key', id: hash, read: inTurn, youngerThanMs: REFRESH_MS } as const;
    const { value, ageMs } = await this.facts.find(question);
    return { value: value && liveKeyOf(value), ageMs };
  }

  private async read(hash: string): Promise<Fact<KeyFact> | null> {
    const [row] = await this.system.run<KeyRow>('apiKeyByHash', [Buffer.from(hash, 'base64url')]);
    if (!row) return null;
    const { until, ...rest } = row;
    return { about: accessOf(row.tenant_id), value: { ...rest, until_ms: until?.getTime() ?? null } };
  }
}

const ifLive = (key: LiveKey | null): LiveKey | null => (key && key.untilMs > Date.now() ? key : null);

const ANYWHERE = (): boolean => true;

function liveKeyOf(row: KeyFact): LiveKey {
  const actor: Actor = Object.freeze({
    kind: 'key',
    id: row.id,
    tenantId: row.tenant_id,
    role: row.role,
    scopes: row.scopes,
    requestsPerMinute: row.requests_per_minute,
    loginId: null,
  });
  const { prefix, until_ms: untilMs, suspended, allowed_cidrs: cidrs } = row;
  const allows = cidrs.length === 0 ? ANYWHERE : networksOf(cidrs);
  return { actor, prefix, untilMs: untilMs ?? Infinity, suspended, allows };
}
