import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';

/** Down: `critical` makes the service unhealthy, `degrading` degraded; `info` only shows. */
export type HealthKind = 'critical' | 'degrading' | 'info';

/** One part of the service that can say how it is. */
export interface HealthCheck {
  /** Unique; the key in `GET /health/details`. */
  name: string;
  kind: HealthKind;
  /** What there is to show. Throws when the part is down; the text of the error is not shown to anybody. */
  check: (signal: AbortSignal) => Promise<Record<string, unknown>>;
}

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** How one part is. */
export interface HealthFinding {
  status: 'up' | 'down';
  kind: HealthKind;
  [detail: string]: unknown;
}

const CHECK_TIMEOUT_MS = 1_000;
/** So often at most is a part asked, however often the routes are called. */
const KEEP_MS = 1_000;

/** Where features say what must be well for the service to be well. */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, HealthCheck>();

  constructor(private readonly indicators: HealthIndicatorService) {}

  /** Call it while the modules are set up. */
  register(check: HealthCheck): void {
    if (this.checks.has(check.name)) throw new Error(`The health check ${check.name} exists twice`);
    this.checks.set(check.name, check);
  }

  /** The whole, from the checks that count; takes a second at most, and asks each part once a second at most. */
  async status(): Promise<HealthStatus> {
    const findings = Object.values(await this.findings(({ kind }) => kind !== 'info'));
    const down = findings.filter(({ status }) => status === 'down').map(({ kind }) => kind);
    if (down.includes('critical')) return 'unhealthy';
    return down.includes('degrading') ? 'degraded' : 'healthy';
  }

  /** Each part's own finding, by name, in the order of registration. */
  async findings(select: (check: HealthCheck) => boolean = () => true): Promise<Record<string, HealthFinding>> {
    const selected = [...this.checks.values()].filter(select);
    return Object.fromEntries(
      await Promise.all(selected.map(async (check) => [check.name, await this.findingOf(check)] as const)),
    );
  }

  private async findingOf({ name, kind, check }: HealthCheck): Promise<HealthFinding> {
    const result = await this.indicators
      .check(name)
      // Nested, because terminus keeps some names for itself.
      .attempt(async ({ signal }) => ({ shown: await check(signal) }))
      .withTimeout(CHECK_TIMEOUT_MS)
      .cacheFor(KEEP_MS);
    const { status, shown } = result[name] as { status: string; shown?: Record<string, unknown> };
    return { ...shown, status: status === 'up' ? 'up' : 'down', kind };
  }
}
