import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import { FreshCache } from '../../../platform/cache/fresh-cache';
import { EventBus } from '../../../platform/events/domain-events';
import type { RouteTable, RouteTables } from '../proxy/parts';
import { GatewayRoutesRepository, type RouteSet } from './gateway-routes.repository';
import { MatchTable } from './route-table';
import { SharedRoutes } from './shared-routes';
import { gatewayRouteOf } from './stored-route';

/** A table of this process. */
interface Known {
  table: MatchTable;
  version: number;
  /** Routes, with regular expressions for what they weigh more. */
  weight: number;
  /** What it says held when it was asked for, by the clock that never goes back. */
  checkedAtMs: number;
  /** A change was heard of: nobody gets it any more, unless nothing better is to be had. */
  outdated: boolean;
  /** Nobody asks again before: it has just failed. */
  retryAtMs: number;
}

interface Load {
  promise: Promise<RouteTable>;
  startedAtMs: number;
}

/** Which version a tenant's routes have, as replicas share it. */
interface SharedVersion {
  version: number;
  /** Of the Unix clock. */
  readAtMs: number;
}

/** How long a change that nobody told of may stay unnoticed (spec). */
const TTL_MS = 5_000;
/** From this age on a table is asked for anew beside the requests, so that none has to wait for it. */
const REFRESH_MS = 3_500;
/** Of another replica's clock no more is believed: a table of ours is good for a second at least. */
const MOST_AGE_ELSEWHERE_MS = 4_000;
/** While nothing else is to be had, a table serves so long beyond its time. */
const STALE_MS = 30_000;
/** How long requests wait for a table that is out of time, before the former one serves. */
const PATIENCE_MS = 500;
const RETRY_MS = 1_000;
const MAX_TENANTS = 10_000;
const MAX_WEIGHT = 100_000;
const PATTERN_WEIGHT = 50;

/**
 * The route tables of the tenants, each made once and swapped whole: of this process, else made of what replicas share through
 * Redis, else of the database, in one query however many ask. A change made here is seen by the next request here, one that is
 * heard of (`gateway.changed`) likewise, any other within 5 s. When neither Redis nor the database has an answer, the former table serves
 * for 30 s more.
 */
@Injectable()
export class RouteDirectory implements RouteTables {
  /** Tables that this process had at hand, and those that it asked or waited for, since the start. */
  readonly lookUps = { hits: 0, misses: 0 };
  private readonly known = new LRUCache<string, Known>({
    max: MAX_TENANTS,
    maxSize: MAX_WEIGHT,
    sizeCalculation: ({ weight }) => weight,
  });
  private readonly loading = new Map<string, Load>();

  constructor(
    private readonly routes: GatewayRoutesRepository,
    private readonly versions: FreshCache,
    private readonly shared: SharedRoutes,
    private readonly events: EventBus,
  ) {
    events.hears('gateway.changed', ({ tenantId }) => this.forget(tenantId));
    events.hears('tenant.changed', ({ tenantId }) => this.forget(tenantId));
  }

  /** Without a promise where it is known. @throws DATABASE_ERROR when it is nowhere to be had */
  of(tenantId: string): RouteTable | Promise<RouteTable> {
    const known = this.known.get(tenantId);
    const ageMs = known && !known.outdated ? performance.now() - known.checkedAtMs : Infinity;
    if (!known || ageMs >= TTL_MS) {
      this.lookUps.misses += 1;
      return this.wait(tenantId, known);
    }
    this.lookUps.hits += 1;
    if (ageMs >= REFRESH_MS) this.refresh(tenantId, known);
    return known.table;
  }

  /**
   * Does work that changes the tenant's routes: from its end on nobody gets former ones, here and wherever it is heard of. The
   * transaction belongs inside, the call not inside a transaction.
   */
  async changing<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.versions.changing([keyOf(tenantId)], work);
    } finally {
      // Also after a failure: it may have been one of the answer to a commit.
      this.events.committed('gateway.changed', { tenantId });
    }
  }

  private forget(tenantId: string): void {
    const known = this.known.peek(tenantId);
    if (known) Object.assign(known, { outdated: true, retryAtMs: 0 });
    this.loading.delete(tenantId); // what is on its way may be of before the change: it is not kept
  }

  private refresh(tenantId: string, known: Known): void {
    if (this.loading.has(tenantId) || performance.now() < known.retryAtMs) return;
    this.load(tenantId, known).promise.catch(() => undefined);
  }

  private async wait(tenantId: string, known: Known | undefined): Promise<RouteTable> {
    const mayServe = known && performance.now() - known.checkedAtMs < TTL_MS + STALE_MS;
    if (!mayServe) return this.load(tenantId, known).promise;
    if (performance.now() < known.retryAtMs) return known.table;
    const load = this.load(tenantId, known);
    // One that was changed is waited for: only a failure makes the former one good enough.
    const patienceMs = known.outdated ? Infinity : load.startedAtMs + PATIENCE_MS - performance.now();
    const answer = load.promise.catch(() => known.table);
    return patienceMs === Infinity ? answer : inTime(answer, patienceMs, known.table);
  }

  private load(tenantId: string, known: Known | undefined): Load {
    const running = this.loading.get(tenantId);
    if (running) return running;
    const startedAtMs = performance.now();
    const load: Load = {
      startedAtMs,
      promise: this.ask(tenantId, known, startedAtMs).then(
        (fresh) => {
          if (this.ends(tenantId, load)) this.known.set(tenantId, fresh);
          return fresh.table;
        },
        (error: unknown) => {
          if (this.ends(tenantId, load) && known) known.retryAtMs = performance.now() + RETRY_MS;
          throw error;
        },
      ),
    };
    this.loading.set(tenantId, load);
    return load;
  }

  /** Whether the load was still the one that counts. */
  private ends(tenantId: string, load: Load): boolean {
    return this.loading.get(tenantId) === load && this.loading.delete(tenantId);
  }

  private async ask(tenantId: string, known: Known | undefined, startedAtMs: number): Promise<Known> {
    // Where the table is certainly another one it is read together with its version, in one query.
    const whole = !known || known.outdated;
    let read: RouteSet | undefined;
    const { value } = await this.versions.get<SharedVersion>(keyOf(tenantId), TTL_MS, async () => {
      const readAtMs = Date.now();
      if (whole) read = await this.routes.load(tenantId);
      return { version: read?.version ?? (await this.routes.version(tenantId)), readAtMs };
    });
    const checkedAtMs = startedAtMs - ageOf(value);
    if (known && known.version === value.version) return { ...known, checkedAtMs, outdated: false, retryAtMs: 0 };
    if (read) await this.shared.keep(tenantId, read);
    const set = read ?? (await this.shared.get(tenantId, value.version, () => this.routes.load(tenantId)));
    return { ...tableOf(tenantId, set), checkedAtMs, outdated: false, retryAtMs: 0 };
  }
}

const keyOf = (tenantId: string): string => `gateway:${tenantId}`;

/** How old the version was when it was found. Clocks of replicas differ, and Redis may hold anything. */
function ageOf({ readAtMs }: SharedVersion): number {
  const ageMs = Date.now() - readAtMs;
  return ageMs > 0 ? Math.min(ageMs, MOST_AGE_ELSEWHERE_MS) : 0;
}

function tableOf(tenantId: string, { version, rows }: RouteSet): Pick<Known, 'table' | 'version' | 'weight'> {
  const patterns = rows.filter(({ path_type }) => path_type === 'regex').length;
  const table = new MatchTable(rows.map((row) => gatewayRouteOf(tenantId, row)));
  return { table, version, weight: 1 + rows.length + PATTERN_WEIGHT * patterns };
}

async function inTime<T>(answer: Promise<T>, waitMs: number, otherwise: T): Promise<T> {
  if (waitMs <= 0) return otherwise;
  const over = new AbortController();
  try {
    return await Promise.race([answer, sleep(waitMs, otherwise, { signal: over.signal, ref: false })]);
  } finally {
    over.abort();
  }
}
