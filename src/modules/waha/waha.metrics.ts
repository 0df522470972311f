import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics';

/** Calls to WAHA by operation and outcome: `ok`, a status, `unreachable` or `lost`. */
@Injectable()
export class WahaMetrics {
  private readonly calls: Counter<'operation' | 'outcome'>;
  private readonly seconds: Histogram<'operation'>;

  constructor(metrics: Metrics) {
    this.calls = metrics.counter({
      name: 'switchboard_waha_calls_total',
      help: 'Calls to WAHA by operation and outcome',
      labelNames: ['operation', 'outcome'],
    });
    this.seconds = metrics.histogram({
      name: 'switchboard_waha_call_seconds',
      help: 'Duration of calls to WAHA in seconds',
      labelNames: ['operation'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    });
  }

  /** Counts one call. */
  called(operation: string, outcome: string, seconds: number): void {
    this.calls.inc({ operation, outcome });
    this.seconds.observe({ operation }, seconds);
  }
}
