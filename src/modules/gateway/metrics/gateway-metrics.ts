import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../../../config/config';
import { LatencyCounts, type LatencyReading } from '../../../platform/metrics/latency-counts';
import { type Reading, Metrics } from '../../../platform/metrics/metrics';
import type { EndedExchange, GatewayObserver } from '../proxy/parts';

/** Series of one tenant and route that are kept apart. */
const MAX_SERIES = 1_000;
/** A tenant may have so much of what nobody has: the first one a tenth of all, and there is always some left for others. */
const SHARE_OF_FREE = 0.1;
/** Tenants that are kept apart; what comes after them is counted together. */
const MAX_TENANTS = 1_000;
const ALL = { tenant: 'all', route: 'all' } as const;
/** Stands for routes of a tenant that have no series of their own, and for tenants that have none. */
const OTHERS = 'others';
/** Stands for all that are none of HTTP's. */
const UNKNOWN_STATUS = 999;
/** Refused before a route, or a tenant, was known. */
const NONE = 'none';

/** Look-ups that this process answered by itself, and those for which it had to ask. */
interface LookUps {
  hits: number;
  misses: number;
}

interface Series {
  labels: { tenant: string; route: string };
  byStatus: Map<number, number>;
  total: LatencyCounts;
  upstream: LatencyCounts;
  retries: number;
  keys: LookUps;
  tables: LookUps;
}

interface TenantSeries {
  byRoute: Map<string, Series>;
  /** Of its routes beyond its share. */
  others: Series;
}

/**
 * Counts what the gateway does. Without METRICS_TENANT_LABELS all tenants are one series; with it each route has its own,
 * by the ids of tenant and route, up to a thousand of them and to a share for each tenant, whose other routes count together.
 */
@Injectable()
export class GatewayMetrics implements GatewayObserver, OnModuleInit {
  private readonly tenants = new Map([[NONE, newTenant(NONE)]]);
  /** Of routes, of all tenants together. */
  private series = 0;
  private readonly everybody = newSeries(ALL);
  private readonly others = newSeries({ tenant: OTHERS, route: OTHERS });
  private readonly apart: boolean;

  constructor(
    private readonly metrics: Metrics,
    config: Config,
  ) {
    this.apart = config.METRICS_TENANT_LABELS;
  }

  onModuleInit(): void {
    const labelNames = ['tenant', 'route'];
    this.metrics.observeTotal({
      name: 'switchboard_gateway_requests_total',
      help: 'Requests that the gateway answered, by status; 499 where the client went away first',
      labelNames: [...labelNames, 'status'],
      read: () => this.all().flatMap(statusReadings),
    });
    this.metrics.observeTotal({
      name: 'switchboard_gateway_retries_total',
      help: 'Attempts after the first one',
      labelNames,
      read: () => this.all().map(({ labels, retries }) => ({ labels, value: retries })),
    });
    this.metrics.observeTotal({
      name: 'switchboard_gateway_cache_requests_total',
      help: 'Look-ups of keys and of route tables by whether this process had them',
      labelNames: [...labelNames, 'cache', 'outcome'],
      read: () => this.all().flatMap(lookUpReadings),
    });
    this.metrics.observeLatency({
      name: 'switchboard_gateway_request_duration_seconds',
      help: 'Time until the answer was handed to the client',
      labelNames,
      read: () => this.all().map((series): LatencyReading => ({ labels: series.labels, counts: series.total })),
    });
    this.metrics.observeLatency({
      name: 'switchboard_gateway_upstream_duration_seconds',
      help: 'Time from the request to an upstream until the head of its answer',
      labelNames,
      read: () => this.all().map((series): LatencyReading => ({ labels: series.labels, counts: series.upstream })),
    });
  }

  ended({ tenantId, route, status, totalMs, upstreamMs, attempts, keyHit, tableHit }: EndedExchange): void {
    const series = this.apart ? this.seriesOf(tenantId ?? NONE, route?.id ?? NONE) : this.everybody;
    // Upstreams say what they like, up to 999: what HTTP does not know counts together.
    const known = status < 600 ? status : UNKNOWN_STATUS;
    series.byStatus.set(known, (series.byStatus.get(known) ?? 0) + 1);
    series.total.add(totalMs / 1000);
    if (upstreamMs !== null) series.upstream.add(upstreamMs / 1000);
    if (attempts > 1) series.retries += attempts - 1;
    count(series.keys, keyHit);
    count(series.tables, tableHit);
  }

  private seriesOf(tenant: string, route: string): Series {
    const known = this.tenants.get(tenant) ?? this.add(tenant);
    return known?.byRoute.get(route) ?? this.newSeriesOf(known, tenant, route);
  }

  /** @returns undefined where there are as many as may be */
  private add(tenant: string): TenantSeries | undefined {
    if (this.tenants.size > MAX_TENANTS) return undefined; // `none` is one more
    const fresh = newTenant(tenant);
    this.tenants.set(tenant, fresh);
    return fresh;
  }

  private newSeriesOf(known: TenantSeries | undefined, tenant: string, route: string): Series {
    if (!known) return this.others;
    if (known.byRoute.size >= (MAX_SERIES - this.series) * SHARE_OF_FREE) return known.others;
    const fresh = newSeries({ tenant, route });
    known.byRoute.set(route, fresh);
    this.series += 1;
    return fresh;
  }

  private all(): Series[] {
    const ofTenants = [...this.tenants.values()].flatMap(({ byRoute, others }) => [...byRoute.values(), others]);
    return [this.everybody, ...ofTenants, this.others].filter(({ byStatus }) => byStatus.size > 0);
  }
}

const newTenant = (tenant: string): TenantSeries => ({
  byRoute: new Map(),
  others: newSeries({ tenant, route: OTHERS }),
});

const newSeries = (labels: Series['labels']): Series => ({
  labels,
  byStatus: new Map(),
  total: new LatencyCounts(),
  upstream: new LatencyCounts(),
  retries: 0,
  keys: { hits: 0, misses: 0 },
  tables: { hits: 0, misses: 0 },
});

function count(lookUps: LookUps, hit: boolean | null): void {
  if (hit === null) return;
  if (hit) lookUps.hits += 1;
  else lookUps.misses += 1;
}

const statusReadings = ({ labels, byStatus }: Series) =>
  [...byStatus].map(([status, value]) => ({ labels: { ...labels, status: String(status) }, value }));

const lookUpReadings = ({ labels, keys, tables }: Series): Reading[] => [
  { labels: { ...labels, cache: 'keys', outcome: 'hit' }, value: keys.hits },
  { labels: { ...labels, cache: 'keys', outcome: 'miss' }, value: keys.misses },
  { labels: { ...labels, cache: 'routes', outcome: 'hit' }, value: tables.hits },
  { labels: { ...labels, cache: 'routes', outcome: 'miss' }, value: tables.misses },
];
