import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { Metrics } from '../../platform/metrics/metrics';

/** Webhooks of WAHA: what came, and what was made of it. */
@Injectable()
export class WebhookMetrics {
  /** When this process last took a valid webhook; null before the first. */
  lastReceivedAt: Date | null = null;
  private readonly webhooks: Counter<'result'>;
  private readonly events: Counter<'result'>;
  private readonly caught: Counter;

  constructor(metrics: Metrics) {
    this.webhooks = metrics.counter({
      name: 'switchboard_webhooks_total',
      help: 'Webhooks of WAHA by result: stored, duplicate, refused',
      labelNames: ['result'],
    });
    this.events = metrics.counter({
      name: 'switchboard_webhook_events_total',
      help: 'Stored events by what was made of them: applied, ignored, later, retried, failed',
      labelNames: ['result'],
    });
    this.caught = metrics.counter({
      name: 'switchboard_messages_caught_up_total',
      help: 'Messages and states of messages that WAHA was asked for after a gap, and that no event had told of',
    });
  }

  /** Messages that no event had told of. */
  caughtUp(count: number): void {
    this.caught.inc(count);
  }

  received(isNew: boolean): void {
    this.lastReceivedAt = new Date();
    this.webhooks.inc({ result: isNew ? 'stored' : 'duplicate' });
  }

  refused(): void {
    this.webhooks.inc({ result: 'refused' });
  }

  handled(result: string): void {
    this.events.inc({ result });
  }
}
