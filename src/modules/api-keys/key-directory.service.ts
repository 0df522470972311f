import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
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
}

/** How long a change made by another replica may stay unnoticed here (spec: 5 s at most). */
const TTL_MS = 5_000;
const FOUND_MAX = 20_000;
const MISSING_MAX = 10_000;

/**
 * Which keys are live, by the hash of their secret: asked of the database once in 5 s for each key, and at once after this
 * process has changed one, or another that shares a Redis with it. While the database is away, what is known serves until its time is over.
 */
@Injectable()
export class KeyDirectory {
  private readonly found = new LRUCache<string, Found>({ max: FOUND_MAX });
  /** Apart from the found, so that made-up keys cannot push real ones out. */
  private readonly missing = new LRUCache<string, true>({ max: MISSING_MAX, ttl: TTL_MS });
  private readonly loading = new Map<string, Promise<LiveKey | null>>();
  /** Anybody can send made-up keys: they get a small share of the database, and stand in no real key's way. */
  private readonly unknownKeys = new WaitingLine(2, 1_000);

  constructor(
    private readonly system: SystemDatabase,
    events: EventBus,
  ) {
    events.hears('tenant.changed', ({ tenantId }) => this.forget((actor) => actor.tenantId === tenantId));
    events.hears('key.changed', ({ keyId }) => this.forget((actor) => actor.id === keyId));
  }

  /** The key of this hash (base64url), of a suspended tenant too; null when there is none. Many asking at once make one query. */
  find(hash: string): Soon<LiveKey | null> {
    const known = this.found.get(hash);
    if (known && performance.now() - known.askedAtMs < TTL_MS) return ifLive(known.key);
    if (this.missing.has(hash)) return null;
    return after(this.loading.get(hash) ?? this.load(hash, known !== undefined), (key) => key && ifLive(key));
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

  private load(hash: string, known: boolean): Promise<LiveKey | null> {
    const askedAtMs = performance.now();
    const ask = () => this.ask(hash);
    const load: Promise<LiveKey | null> = (known ? ask() : this.unknownKeys.run(ask))
      .then((key) => {
        if (this.loading.get(hash) === load) this.keep(hash, key, askedAtMs);
        return key;
      })
      .finally(() => {
        if (this.loading.get(hash) === load) this.loading.delete(hash);
      });
    this.loading.set(hash, load);
    return load;
  }

  private keep(hash: string, key: LiveKey | null, askedAtMs: number): void {
    if (key) return void this.found.set(hash, { key, askedAtMs });
    this.found.delete(hash);
    this.missing.set(hash, true);
  }

  private async ask(hash: string): Promise<LiveKey | null> {
    const [row] = await this.system.run<KeyRow>('apiKeyByHash', [Buffer.from(hash, 'base64url')]);
    return row ? liveKeyOf(row) : null;
  }
}

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
