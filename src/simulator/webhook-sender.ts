import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Faults } from './faults';
import { webhookRequestId } from './ids';
import type { RetryConfig, WebhookConfig } from './session-config';
import { Timers } from './timers';

/** What became of the events so far. */
interface WebhookCounters {
  /** Answered with success. */
  delivered: number;
  /** Tries after a first one. */
  retried: number;
  /** Given up after the last retry, or lost in a crash. */
  dropped: number;
  /** Never sent, by fault. */
  lost: number;
  /** Sent twice, by fault. */
  doubled: number;
  /** Held until a later one had overtaken, by fault. */
  reordered: number;
  /** Neither delivered nor given up yet. */
  pending: number;
}

interface Delivery {
  webhook: WebhookConfig;
  body: string;
  headers: Record<string, string>;
  retriesMade: number;
}

// WAHA itself opens one socket per event. A limit per receiver keeps a burst from exhausting the machine's sockets.
const SOCKETS_PER_RECEIVER = 64;
const REORDER_HOLD_MS = 1000;
const DEFAULT_RETRIES: Required<RetryConfig> = { policy: 'constant', delaySeconds: 2, attempts: 15 };

/** The pause before the retry with this number (1 is the first), in ms, without WAHA's jitter. */
function retryDelayMs(retries: RetryConfig | null | undefined, retry: number): number {
  const { policy, delaySeconds } = { ...DEFAULT_RETRIES, ...retries };
  switch (policy) {
    case 'constant':
      return delaySeconds * 1000;
    case 'linear':
      return delaySeconds * 1000 * retry;
    case 'exponential':
      return delaySeconds * 1000 * 2 ** retry;
  }
}

/**
 * Delivers events as WAHA does: one POST per event and webhook, fire and forget, in parallel, in memory only, without a
 * time-out, with retries on any error that reuse body, request id and signature.
 */
export class WebhookSender {
  private agent = newAgent();
  private readonly timers = new Timers();
  private readonly overtakable: Array<() => void> = [];
  private parked: Delivery[] = [];
  private counts = noCounts();

  constructor(
    private readonly faults: Faults,
    private readonly userAgent: string,
  ) {}

  /** Starts the delivery of one event; `timestampMs` is the event's own time. */
  post(webhook: WebhookConfig, body: string, timestampMs: number): void {
    const { webhooks } = this.faults.current;
    const { random } = this.faults;
    if (random.chance(webhooks.lose_rate)) {
      this.counts.lost += 1;
      return;
    }
    this.dispatch(this.delivery(webhook, body, timestampMs));
    if (random.chance(webhooks.double_rate)) {
      this.counts.doubled += 1;
      this.dispatch(this.delivery(webhook, body, timestampMs));
    }
  }

  /** Goes on with what was held back, once deliveries are no longer paused. */
  resume(): void {
    if (this.faults.current.webhooks.paused) return;
    const parked = this.parked;
    this.parked = [];
    for (const delivery of parked) this.attempt(delivery);
  }

  /** Loses everything that is not delivered yet, as a crash of WAHA does. */
  crash(): void {
    this.timers.clear();
    this.parked = [];
    this.overtakable.length = 0;
    this.counts.dropped += this.counts.pending;
    this.counts.pending = 0;
    const dead = this.agent;
    this.agent = newAgent();
    void dead.destroy();
  }

  /** Ends all sockets and timers. */
  async close(): Promise<void> {
    this.timers.close();
    await this.agent.destroy();
  }

  /** What became of the events so far. */
  counters(): WebhookCounters {
    return { ...this.counts };
  }

  private delivery(webhook: WebhookConfig, body: string, timestampMs: number): Delivery {
    const headers: Record<string, string> = {
      accept: 'application/json, text/plain, */*',
      'content-type': 'application/json',
      'user-agent': this.userAgent,
      'x-webhook-request-id': webhookRequestId(),
      'x-webhook-timestamp': String(timestampMs),
    };
    const key = webhook.hmac?.key;
    if (key !== undefined && key !== null && key !== '') {
      headers['x-webhook-hmac'] = createHmac('sha512', key).update(body).digest('hex');
      headers['x-webhook-hmac-algorithm'] = 'sha512';
    }
    for (const { name, value } of webhook.customHeaders ?? []) headers[name.toLowerCase()] = value;
    return { webhook, body, headers, retriesMade: 0 };
  }

  private dispatch(delivery: Delivery): void {
    const { webhooks } = this.faults.current;
    const { random } = this.faults;
    this.counts.pending += 1;
    if (random.chance(webhooks.reorder_rate)) this.holdBack(delivery);
    else if (webhooks.delay_ms === null) this.attempt(delivery);
    else this.timers.after(random.between(webhooks.delay_ms), () => this.attempt(delivery));
  }

  private holdBack(delivery: Delivery): void {
    this.counts.reordered += 1;
    let waiting = true;
    const release = () => {
      if (!waiting) return;
      waiting = false;
      this.attempt(delivery);
    };
    this.overtakable.push(release);
    this.timers.after(REORDER_HOLD_MS, release);
  }

  private attempt(delivery: Delivery): void {
    if (this.faults.current.webhooks.paused) {
      this.parked.push(delivery);
      return;
    }
    const agent = this.agent;
    void post(agent, delivery).then((outcome) => {
      // A crash meanwhile has counted this one as dropped.
      if (agent !== this.agent) return;
      if (outcome.accepted) this.delivered();
      else this.retry(delivery, outcome.retryAfterMs);
      for (const release of this.overtakable.splice(0)) release();
    });
  }

  private delivered(): void {
    this.counts.delivered += 1;
    this.counts.pending -= 1;
  }

  private retry(delivery: Delivery, retryAfterMs: number): void {
    const { retries } = delivery.webhook;
    if (delivery.retriesMade >= (retries?.attempts ?? DEFAULT_RETRIES.attempts)) {
      this.counts.dropped += 1;
      this.counts.pending -= 1;
      return;
    }
    delivery.retriesMade += 1;
    this.counts.retried += 1;
    const jitter = retries?.policy === 'exponential' ? 1 + Math.random() * 0.2 : 1;
    const delayMs = Math.max(retryDelayMs(retries, delivery.retriesMade) * jitter, retryAfterMs);
    this.timers.after(delayMs, () => this.attempt(delivery));
  }
}

interface Outcome {
  accepted: boolean;
  /** What the receiver asks for; 0 when it does not. */
  retryAfterMs: number;
}

async function post(agent: Agent, delivery: Delivery): Promise<Outcome> {
  const { body, headers, webhook } = delivery;
  try {
    const response = await request(webhook.url, { method: 'POST', body, headers, dispatcher: agent });
    await response.body.dump();
    const { statusCode } = response;
    if (statusCode >= 300 && statusCode < 304) {
      // Followed as a GET without the body: WAHA takes it for a success, the event is gone.
      const target = new URL(String(response.headers.location), webhook.url);
      const second = await request(target, { dispatcher: agent });
      await second.body.dump();
      return { accepted: second.statusCode < 300, retryAfterMs: 0 };
    }
    const retryAfterSeconds = Number(response.headers['retry-after'] ?? 0);
    return {
      accepted: statusCode >= 200 && statusCode < 300,
      retryAfterMs: Number.isFinite(retryAfterSeconds) ? retryAfterSeconds * 1000 : 0,
    };
  } catch {
    // Any error at all is a reason for WAHA to try again.
    return { accepted: false, retryAfterMs: 0 };
  }
}

function newAgent(): Agent {
  return new Agent({
    connections: SOCKETS_PER_RECEIVER,
    headersTimeout: 0,
    bodyTimeout: 0,
    // WAHA does not verify the receiver's certificate.
    connect: { rejectUnauthorized: false },
  });
}

function noCounts(): WebhookCounters {
  return { delivered: 0, retried: 0, dropped: 0, lost: 0, doubled: 0, reordered: 0, pending: 0 };
}
