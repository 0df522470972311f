/** Pace and quiet hours as a lane `l` keeps them, as two values of JSON. */
export const LANE_SETTINGS = `
  json_build_object('per_minute', l.per_minute, 'burst', l.burst, 'jitter_ms', l.jitter_ms, 'daily_cap', l.daily_cap,
    'first_contacts_per_day', l.first_contacts_per_day,
    'warmup', json_build_object('enabled', l.warmup, 'days', l.warmup_days, 'start_per_day', l.warmup_start)) as pace,
  case when l.quiet_from is not null
    then json_build_object('from', to_char(l.quiet_from, 'HH24:MI'), 'to', to_char(l.quiet_to, 'HH24:MI')) end as quiet_hours`;

/** The columns that they are kept in, and their values from `laneSettings`, in the same order. */
export const LANE_COLUMNS = `per_minute, burst, jitter_ms, daily_cap, first_contacts_per_day, warmup, warmup_days, warmup_start,
  quiet_from, quiet_to`;
export const LANE_VALUES = `p.per_minute, p.burst, p.jitter_ms, p.daily_cap, p.first_contacts_per_day, w.enabled, w.days,
  w.start_per_day, h."from", h."to"`;

/** The same two values, given as parameters, as rows `p`, `w` and `h`; the quiet hours may be null. */
export const laneSettings = (pace: string, quietHours: string): string => `
  jsonb_to_record(${pace}::jsonb) as p(per_minute int, burst int, jitter_ms int, daily_cap int, first_contacts_per_day int,
    warmup jsonb),
  jsonb_to_record(p.warmup) as w(enabled boolean, days int, start_per_day int),
  jsonb_to_record(coalesce(nullif(${quietHours}::jsonb, 'null'), '{}')) as h("from" time, "to" time)`;
