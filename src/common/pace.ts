/** A ramp for numbers that are new to WhatsApp: the daily cap grows from `start_per_day` to its full height over `days`. */
export interface Warmup {
  enabled: boolean;
  days: number;
  start_per_day: number;
}

/** How fast, and how much, a session sends. */
export interface Pace {
  /** Messages a minute, on average. */
  per_minute: number;
  /** Messages that may leave at once after a pause. */
  burst: number;
  /** Random pause between two messages, at most so many milliseconds. */
  jitter_ms: number;
  /** Messages a day, of the tenant's time zone. */
  daily_cap: number;
  /** Of these, messages to somebody whom the session has never written to or heard of. */
  first_contacts_per_day: number;
  warmup: Warmup;
}

/** What a change names of a pace. */
export type PaceChange = Partial<Omit<Pace, 'warmup'>> & { warmup?: Partial<Warmup> };

export const DEFAULT_PACE: Pace = {
  per_minute: 20,
  burst: 5,
  jitter_ms: 1_500,
  daily_cap: 1_000,
  first_contacts_per_day: 50,
  warmup: { enabled: false, days: 14, start_per_day: 20 },
};

/** The pace with what the change names; the rest stays as it is. */
export const mergedPace = (pace: Pace, { warmup, ...rest }: PaceChange = {}): Pace => ({
  ...pace,
  ...rest,
  warmup: { ...pace.warmup, ...warmup },
});

/** When only replies are sent: from one time of day to another, of the tenant's time zone; it may span midnight. */
export interface QuietHours {
  /** `HH:MM`; the same as `to` where there are none. */
  from: string;
  to: string;
}
