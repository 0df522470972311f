import { Injectable } from '@nestjs/common';
import type { WebhookHealthResponse } from './dto/webhook.response';
import { WebhookEventsRepository } from './webhook-events.repository';
import { WebhookMetrics } from './webhook.metrics';

type Backlog = Awaited<ReturnType<WebhookEventsRepository['backlog']>>;

const KEEP_MS = 2_000;

/** How the webhooks are doing. Anybody may ask: the database is asked by one of them at a time, and not again for a while. */
@Injectable()
export class WebhookBacklog {
  private asked: Promise<Backlog> | undefined;

  constructor(
    private readonly events: WebhookEventsRepository,
    private readonly metrics: WebhookMetrics,
  ) {}

  async show(): Promise<WebhookHealthResponse> {
    this.asked ??= this.ask();
    const { pending, failed, oldest_s } = await this.asked;
    return { last_received_at: this.metrics.lastReceivedAt, backlog: pending, oldest_s, failures: failed };
  }

  private ask(): Promise<Backlog> {
    const forget = (): void => {
      this.asked = undefined;
    };
    const asked = this.events.backlog();
    asked.then(() => setTimeout(forget, KEEP_MS).unref(), forget);
    return asked;
  }
}
