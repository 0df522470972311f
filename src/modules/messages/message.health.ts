import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { HealthRegistry } from '../../platform/health/health-registry';
import { Metrics } from '../../platform/metrics/metrics';

/** How much waits, and since when; counts stop at 10,001. */
interface QueueDepth {
  queued: number;
  oldest_s: number | null;
  unknown: number;
}

const KEEP_MS = 5_000;

/** The queue in the service's health and metrics. */
@Injectable()
export class MessageHealth implements OnModuleInit {
  private last: QueueDepth | undefined;
  private measuredAt = -Infinity;
  private measuring: Promise<QueueDepth | undefined> | undefined;

  constructor(
    private readonly registry: HealthRegistry,
    private readonly metrics: Metrics,
    private readonly system: SystemDatabase,
  ) {}

  onModuleInit(): void {
    this.registry.register({ name: 'queue', kind: 'info', check: async () => ({ ...(await this.measure()) }) });
    this.gauge('switchboard_queue_messages', 'Messages waiting to be sent', ({ queued }) => queued);
    this.gauge('switchboard_queue_oldest_seconds', 'Age of the oldest of them', ({ oldest_s }) => oldest_s ?? 0);
    this.gauge('switchboard_queue_unknown', 'Messages whose outcome is not known', ({ unknown }) => unknown);
  }

  /** A scrape shows what the one before it asked for: the database is never waited for there. */
  private gauge(name: string, help: string, pick: (depth: QueueDepth) => number): void {
    const read = () => {
      this.measure().catch(() => undefined);
      return this.last ? [{ value: pick(this.last) }] : [];
    };
    this.metrics.observe({ name, help, read });
  }

  /** One question at a time, and its answer serves for a while: anybody may scrape. */
  private measure(): Promise<QueueDepth | undefined> {
    if (performance.now() - this.measuredAt < KEEP_MS) return Promise.resolve(this.last);
    this.measuring ??= this.system
      .run<QueueDepth>('queueDepth')
      .then(([depth]) => {
        this.last = depth;
        this.measuredAt = performance.now();
        return depth;
      })
      .finally(() => {
        this.measuring = undefined;
      });
    return this.measuring;
  }
}
