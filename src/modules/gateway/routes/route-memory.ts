import { LRUCache } from 'lru-cache';
import type { GatewayRoute } from '../gateway-route';
import { PatternPrograms } from './pattern-programs';

const MIB = 1024 * 1024;
/** Some 150,000 routes, and 10,000 expressions. */
const BOUNDS: RouteMemoryBounds = { tableBytes: 128 * MIB, programBytes: 128 * MIB };
const MAX_TENANTS = 10_000;
/** What was held so lately and is gone had to give way: there is more than may be held. */
const LATELY_MS = 60_000;
/** Of tables that come back so soon one in so many is kept. */
const KEPT_ONE_IN = 8;

/** What a table without routes takes. */
export const TABLE_BYTES = 1_000;
/** What a route takes, measured, beside its texts, and each of its upstreams, headers and methods. */
const ROUTE_BYTES = 700;
const ENTRY_BYTES = 70;

export interface RouteMemoryBounds {
  /** Of all tables together, but for compiled expressions. */
  tableBytes: number;
  /** Of the compiled expressions of all. */
  programBytes: number;
}

/**
 * What this process holds of routes at most, and what is kept where that is not enough. The longest unused table gives way; but where
 * tables come back soon after they went, most of them are served without being kept. Otherwise of a few more than there is room
 * for, asked for in turn, each would go just before it is asked for again, and each request would make a table.
 */
export class RouteMemory {
  readonly maxTenants = MAX_TENANTS;
  readonly tableBytes: number;
  readonly programs: PatternPrograms;
  private readonly heldLately = new LRUCache<string, true>({ max: MAX_TENANTS, ttl: LATELY_MS });

  constructor(
    bounds: Partial<RouteMemoryBounds> = {},
    private readonly random: () => number = Math.random,
  ) {
    const { tableBytes, programBytes } = { ...BOUNDS, ...bounds };
    this.tableBytes = tableBytes;
    this.programs = new PatternPrograms(programBytes, random);
  }

  /** Whether the tenant's table, which is not held, may take the place of others. */
  mayEnter(tenantId: string): boolean {
    return !this.heldLately.has(tenantId) || this.random() * KEPT_ONE_IN < 1;
  }

  /** It is held now. */
  entered(tenantId: string): void {
    this.heldLately.set(tenantId, true);
  }
}

/** About what a route takes in a table: by its texts that may be long, or many. */
export function routeBytes({ path, methods, rewrite, upstreams, headers }: GatewayRoute): number {
  let sizeBytes = ROUTE_BYTES + path.length + (rewrite?.length ?? 0);
  for (const name of methods ?? []) sizeBytes += ENTRY_BYTES + name.length;
  for (const { url } of upstreams) sizeBytes += ENTRY_BYTES + url.length;
  for (const [name, value] of Object.entries(headers.set)) sizeBytes += ENTRY_BYTES + name.length + value.length;
  for (const name of headers.remove) sizeBytes += ENTRY_BYTES + name.length;
  return sizeBytes;
}
