import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics';

/** What befell a session: found deaf, restarted for that or because it failed, given up. */
export type SessionTrouble = 'deaf' | 'restarted_deaf' | 'restarted_failed' | 'given_up_deaf' | 'given_up_failed';

/** Calls to WAHA by operation and outcome: `ok`, a status, `unreachable` or `lost`; and what befell sessions. */
@Injectable()
export class WahaMetrics {
  private readonly calls: Counter<'operation' | 'outcome'>;
  private readonly seconds: Histogram<'operation'>;
  private readonly troubles: Counter<'event'>;

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
    this.troubles = metrics.counter({
      name: 'switchboard_session_troubles_total',
      help: 'Sessions found deaf, restarted (deaf or failed) and given up (deaf or failed)',
      labelNames: ['event'],
    });
  }

  /** Counts one call. */
  called(operation: string, outcome: string, seconds: number): void {
    this.calls.inc({ operation, outcome });
    this.seconds.observe({ operation }, seconds);
  }

  /** Counts what befell a session. */
  befell(event: SessionTrouble): void {
    this.troubles.inc({ event });
  }
}
