import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/app-error';
import { VERSION } from '../../config/version';
import { HealthRegistry, type HealthStatus } from '../../platform/health/health-registry';
import { Readiness } from '../../platform/http/readiness';
import { Metrics } from '../../platform/metrics/metrics';
import type {
  DatabaseHealthResponse,
  HealthDetailsResponse,
  HealthResponse,
  ReadyResponse,
} from './dto/health.response';
import { DATABASE_CHECK } from './platform.health';

const RETRY = { headers: { 'Retry-After': '1' } };

/** Answers the health routes from the registered checks. */
@Injectable()
export class HealthService {
  constructor(
    private readonly registry: HealthRegistry,
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  /** The whole in one word. */
  async summary(): Promise<HealthResponse> {
    return summaryOf(await this.registry.status());
  }

  /** @throws DATABASE_ERROR when it cannot be reached, SERVICE_UNAVAILABLE when it is not migrated */
  async database(): Promise<DatabaseHealthResponse> {
    const finding = (await this.registry.findings(({ name }) => name === DATABASE_CHECK))[DATABASE_CHECK];
    if (finding?.status !== 'up') throw new AppError('DATABASE_ERROR', 'The database cannot be reached', RETRY);
    if (finding.migrated !== true)
      throw new AppError('SERVICE_UNAVAILABLE', 'The database is not migrated to this version', RETRY);
    return { status: 'healthy', migrated: true, latency_ms: Number(finding.latency_ms) };
  }

  /** @throws SERVICE_UNAVAILABLE or DATABASE_ERROR while this process should get no traffic */
  async ready(): Promise<ReadyResponse> {
    if (!this.readiness.isReady)
      throw new AppError('SERVICE_UNAVAILABLE', 'The service is starting or shutting down', RETRY);
    await this.database();
    return { status: 'ready' };
  }

  /** Every part with what it shows. */
  async details(): Promise<HealthDetailsResponse> {
    const [checks, status] = await Promise.all([this.registry.findings(), this.registry.status()]);
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const delayS = await this.metrics.valueOf('nodejs_eventloop_lag_p99_seconds');
    return {
      ...summaryOf(status),
      checks,
      memory: { rss_bytes: rss, heap_used_bytes: heapUsed, heap_total_bytes: heapTotal, external_bytes: external },
      event_loop: { delay_p99_ms: Math.round((delayS ?? 0) * 1e6) / 1000 },
    };
  }
}

const summaryOf = (status: HealthStatus): HealthResponse => ({
  status,
  timestamp: new Date().toISOString(),
  version: VERSION,
  uptime_s: Math.floor(process.uptime()),
});
