import { Random } from './random';

/** What can go wrong with webhooks. */
interface WebhookFaults {
  /** Share of events that are never delivered. */
  lose_rate: number;
  /** Share of events that are delivered twice. */
  double_rate: number;
  /** Share of events that a later one overtakes. */
  reorder_rate: number;
  /** How late the first delivery is, in ms; null for at once. */
  delay_ms: [number, number] | null;
  /** Holds every delivery until it is false again. */
  paused: boolean;
}

/** What goes wrong on demand; all rates are 0..1. */
interface FaultSettings {
  /** Added to every /api call. */
  latency_ms: number | [number, number];
  /** Share of /api calls that answer 500 before anything is done. */
  error_rate: number;
  /** Share of sends that take place and answer 500. */
  error_after_send_rate: number;
  /** Share of sends that take place and never answer. */
  timeout_after_send_rate: number;
  /** Every /api call hangs. */
  hang: boolean;
  /** Every send is refused by WhatsApp with this reason. */
  send_error: null | '463' | '475';
  /** Whom send_error is for; WhatsApp itself refuses only new chats. */
  send_error_scope: 'all' | 'new_chats';
  /** Share of acks that never come. */
  ack_lose_rate: number;
  /** Numbers that check-exists does not know, digits only. */
  unknown_numbers: string[];
  webhooks: WebhookFaults;
}

/** A change of the faults: what is not named is switched off. */
export type FaultChange = Partial<Omit<FaultSettings, 'webhooks'>> & {
  webhooks?: Partial<WebhookFaults>;
  seed?: number;
};

function noFaults(): FaultSettings {
  return {
    latency_ms: 0,
    error_rate: 0,
    error_after_send_rate: 0,
    timeout_after_send_rate: 0,
    hang: false,
    send_error: null,
    send_error_scope: 'all',
    ack_lose_rate: 0,
    unknown_numbers: [],
    webhooks: { lose_rate: 0, double_rate: 0, reorder_rate: 0, delay_ms: null, paused: false },
  };
}

const rate = { type: 'number', minimum: 0, maximum: 1 };
const delay = { type: 'number', minimum: 0 };
const span = { type: 'array', items: delay, minItems: 2, maxItems: 2 };
const webhookProperties = {
  lose_rate: rate,
  double_rate: rate,
  reorder_rate: rate,
  delay_ms: { anyOf: [span, { type: 'null' }] },
  paused: { type: 'boolean' },
};
const faultProperties = {
  seed: { type: 'integer' },
  latency_ms: { anyOf: [delay, span] },
  error_rate: rate,
  error_after_send_rate: rate,
  timeout_after_send_rate: rate,
  hang: { type: 'boolean' },
  send_error: { enum: [null, '463', '475'] },
  send_error_scope: { enum: ['all', 'new_chats'] },
  ack_lose_rate: rate,
  unknown_numbers: { type: 'array', items: { type: 'string' } },
  webhooks: {
    type: 'object',
    propertyNames: { enum: Object.keys(webhookProperties) },
    properties: webhookProperties,
  },
};

/** JSON schema of `PUT /simulator/faults`; a misspelt fault is refused rather than ignored. */
export const FAULT_BODY = {
  type: 'object',
  propertyNames: { enum: Object.keys(faultProperties) },
  properties: faultProperties,
};

/** The faults in force and the dice that decide when they strike. */
export class Faults {
  /** What is in force; replaced as a whole. */
  current: FaultSettings = noFaults();
  /** The dice; a new seed starts them anew. */
  random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Puts these faults in force, and no others. */
  replace({ seed, webhooks, ...change }: FaultChange): void {
    const none = noFaults();
    this.current = { ...none, ...change, webhooks: { ...none.webhooks, ...webhooks } };
    if (seed !== undefined) this.random = new Random(seed);
  }

  /** Ends all faults. */
  clear(): void {
    this.current = noFaults();
  }

  /** How long this /api call is held up, in ms. */
  latencyMs(): number {
    const { latency_ms: latency } = this.current;
    return typeof latency === 'number' ? latency : this.random.between(latency);
  }

  /** The faults in force with the seed. */
  describe(): FaultSettings & { seed: number } {
    return { seed: this.random.seed, ...this.current };
  }
}
