/** What a plan bounds. */
export interface Limits {
  /** Messages that may be accepted in one day, of the tenant's time zone. */
  messages_per_day: number | null;
  /** WhatsApp sessions that exist at one time. */
  sessions: number | null;
  /** Users that exist at one time, inactive ones included. */
  users: number | null;
  /** Bytes of all files together. */
  storage_bytes: number | null;
  /** Requests a minute of all users and keys together. */
  requests_per_minute: number | null;
}

export const LIMIT_NAMES = [
  'messages_per_day',
  'sessions',
  'users',
  'storage_bytes',
  'requests_per_minute',
] as const satisfies readonly (keyof Limits)[];

const GIB = 1024 ** 3;

/** The plans of the installation: what a tenant may have of each; null is without bound. A tenant's quotas override its plan. */
export const PLANS = {
  free: { messages_per_day: 250, sessions: 1, users: 3, storage_bytes: GIB, requests_per_minute: 120 },
  starter: { messages_per_day: 5_000, sessions: 3, users: 10, storage_bytes: 10 * GIB, requests_per_minute: 600 },
  business: {
    messages_per_day: 100_000,
    sessions: 25,
    users: 100,
    storage_bytes: 100 * GIB,
    requests_per_minute: 6_000,
  },
  unlimited: { messages_per_day: null, sessions: null, users: null, storage_bytes: null, requests_per_minute: null },
} as const satisfies Record<string, Limits>;

export type PlanName = keyof typeof PLANS;

export const PLAN_NAMES = Object.keys(PLANS) as PlanName[];

/** What holds for a tenant: its quotas over those of its plan; a quota of null lifts the plan's bound. */
export function limitsOf(plan: PlanName, quotas: Partial<Limits>): Limits {
  return { ...PLANS[plan], ...quotas };
}
