import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics';

/** Messages by what happened to them. */
@Injectable()
export class MessageMetrics {
  private readonly attempts: Counter<'outcome' | 'code'>;
  private readonly events: Counter<'event'>;

  constructor(metrics: Metrics) {
    this.attempts = metrics.counter({
      name: 'switchboard_message_attempts_total',
      help: 'Attempts to send by outcome and error code',
      labelNames: ['outcome', 'code'],
    });
    this.events = metrics.counter({
      name: 'switchboard_messages_total',
      help: 'Messages by event: accepted, received, sent, delivered, read, played, failed',
      labelNames: ['event'],
    });
  }

  attempted(outcome: string, code: string | null): void {
    this.attempts.inc({ outcome, code: code ?? 'none' });
  }

  /** Counts messages that were accepted, received, or reached a status. */
  happened(event: string, count = 1): void {
    this.events.inc({ event }, count);
  }
}
