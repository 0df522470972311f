import { Injectable } from '@nestjs/common';
import { after, type Soon } from '../../../common/soon';
import { type Answer, type Known, LastingMemory } from '../../../platform/cache/lasting-memory';
import { EventBus } from '../../../platform/events/domain-events';
import { type Fact, FACT_TTL_MS, SharedFacts } from '../../../platform/facts/shared-facts';
import { mapInTurns } from '../../../platform/loops/turns';
import type { RouteTable, RouteTables } from '../proxy/parts';
import { GatewayRoutesRepository, type RouteSet } from './gateway-routes.repository';
import { RouteMemory, routeBytes, TABLE_BYTES } from './route-memory';
import { MatchTable } from './route-table';
import { SharedRoutes } from './shared-routes';
import { gatewayRouteOf } from './stored-route';

/** A table of this process. */
interface Made {
  readonly table: MatchTable;
  readonly version: number;
  /** About what it takes of memory, but for compiled expressions. */
  readonly sizeBytes: number;
  /** Whether it may take the place of others. */
  readonly isKept: boolean;
}

/** Which version a tenant's routes have, as replicas share it. */
interface SharedVersion {
  version: number;
}

/** How long a change that nobody told of may stay unnoticed: as long as a fact may be old. */
const TTL_MS = FACT_TTL_MS;
/** From this age on a table is asked for anew beside the requests, so that none has to wait for it. */
const REFRESH_MS = 3_500;
/** While nothing else is to be had, a table serves so long beyond its time. */
const STALE_MS = 30_000;
/** How long requests wait for a table that is out of time, before the former one serves. */
const PATIENCE_MS = 500;
/** Who has none waits so long, and then gets 503. To make a table of the largest takes a fraction of it, also where much else is done. */
const DEADLINE_MS = 10_000;
const RETRY_MS = 1_000;

/**
 * The route tables of the tenants, each made once and swapped whole: of this process, else made of what replicas share through
 * Redis, else of the database, in one query however many ask. A change made here is seen by the next request here, one that is
 * heard of (`gateway.changed`) likewise, any other within 5 s. When neither Redis nor the database has an answer, the former table serves
 * for 30 s more. Making a large one lets requests go on in between.
 */
@Injectable()
export class RouteDirectory implements RouteTables {
  private readonly tables: LastingMemory<Made>;

  constructor(
    private readonly routes: GatewayRoutesRepository,
    private readonly versions: SharedFacts,
    private readonly shared: SharedRoutes,
    private readonly memory: RouteMemory,
    private readonly events: EventBus,
  ) {
    this.tables = new LastingMemory({
      load: (tenantId, known) => this.load(tenantId, known),
      max: memory.maxTenants,
      weight: { of: ({ sizeBytes }) => sizeBytes, max: memory.tableBytes },
      keeps: (tenantId, { isKept }) => this.keeps(tenantId, isKept),
      ...{ ttlMs: TTL_MS, refreshMs: REFRESH_MS, staleMs: TTL_MS + STALE_MS, servesOutdated: true },
      ...{ patienceMs: PATIENCE_MS, deadlineMs: DEADLINE_MS, retryMs: RETRY_MS },
    });
    events.hears('gateway.changed', ({ tenantId }) => this.tables.outdate(tenantId));
    events.hears('tenant.changed', ({ tenantId }) => this.tables.outdate(tenantId));
  }

  /** Without a promise where it is known. @throws DATABASE_ERROR when it is nowhere to be had */
  of(tenantId: string): Soon<RouteTable> {
    return after(this.tables.get(tenantId), tableOf);
  }

  /**
   * Does work that changes the tenant's routes: from its end on nobody gets former ones, here and wherever it is heard of. The
   * transaction belongs inside, the call not inside a transaction.
   */
  async changing<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.versions.changing(routesOf(tenantId), work);
    } finally {
      // Also after a failure: it may have been one of the answer to a commit.
      this.events.committed('gateway.changed', { tenantId });
    }
  }

  private async load(tenantId: string, known: Known<Made> | undefined): Promise<Answer<Made>> {
    let whole: RouteSet | undefined;
    const read = async (): Promise<Fact<SharedVersion>> => {
      // Where the table is certainly another one it is read together with its version, in one query.
      if (!known || known.outdated) whole = await this.readWhole(tenantId);
      return { about: routesOf(tenantId), value: { version: whole?.version ?? (await this.routes.version(tenantId)) } };
    };
    const question = { kind: 'routes', id: tenantId, read, youngerThanMs: REFRESH_MS } as const;
    const { value, ageMs } = await this.versions.find<SharedVersion>(question);
    if (value && known?.value.version === value.version) return { value: known.value, ageMs };
    const set = whole ?? (await this.shared.get(tenantId, value?.version ?? 0, () => this.routes.load(tenantId)));
    const isKept = known !== undefined || this.memory.mayEnter(tenantId);
    return { value: await this.madeOf(tenantId, set, isKept), ageMs };
  }

  private keeps(tenantId: string, isKept: boolean): boolean {
    if (isKept) this.memory.entered(tenantId);
    return isKept;
  }

  private async madeOf(tenantId: string, { version, rows }: RouteSet, isKept: boolean): Promise<Made> {
    let sizeBytes = TABLE_BYTES;
    const routes = await mapInTurns(rows, (row) => {
      const route = gatewayRouteOf(tenantId, row);
      sizeBytes += routeBytes(route);
      return route;
    });
    const table = await MatchTable.of(routes, this.memory);
    return { table, version, sizeBytes, isKept };
  }

  /** The others learn of a version only when they find its routes. */
  private async readWhole(tenantId: string): Promise<RouteSet> {
    const set = await this.routes.load(tenantId);
    await this.shared.keep(tenantId, set);
    return set;
  }
}

const tableOf = ({ table }: Made): RouteTable => table;

const routesOf = (tenantId: string): string => `routes:${tenantId}`;
