import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { WebhookHealthResponse } from './dto/webhook.response';
import { WebhookEventsRepository } from './webhook-events.repository';
import { WebhookMetrics } from './webhook.metrics';

const KEEP_MS = 1_000;

/** How the webhooks are doing. Anybody may ask, so the database is asked once a second at most. */
@Injectable()
export class WebhookBacklog {
  private readonly recent = new LRUCache<'backlog', ReturnType<WebhookEventsRepository['backlog']>>({
    max: 1,
    ttl: KEEP_MS,
  });

  constructor(
    private readonly events: WebhookEventsRepository,
    private readonly metrics: WebhookMetrics,
  ) {}

  async show(): Promise<WebhookHealthResponse> {
    let asked = this.recent.get('backlog');
    if (!asked) {
      asked = this.events.backlog();
      this.recent.set('backlog', asked);
    }
    const { pending, failed, oldest_s } = await asked;
    return { last_received_at: this.metrics.lastReceivedAt, backlog: pending, oldest_s, failures: failed };
  }
}
