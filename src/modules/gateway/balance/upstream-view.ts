import { STANDING } from './upstream-health';
import type { UpstreamTarget } from './upstream-target';

/** How an upstream stands, the worst last. */
export const UPSTREAM_STATES = ['unknown', 'healthy', 'suspect', 'probing', 'ejected'] as const;
export type UpstreamState = (typeof UPSTREAM_STATES)[number];

/** The last moment that a date can name. */
const LATEST_MS = 8_640_000_000_000_000;
/** More of anything is not to be believed. */
const MOST = 1_000_000_000;

/** What one process has seen of one upstream. Also what processes tell each other: JSON. */
export interface UpstreamView {
  /** Stands for its address (`addressKey`). */
  key: string;
  state: UpstreamState;
  failuresInARow: number;
  /** By the wall clock, in ms since 1970; null where it is not avoided. */
  untilMs: number | null;
  latencyMs: number | null;
  inFlight: number;
}

/** The same of all processes that know it. */
export interface MergedView extends UpstreamView {
  processes: number;
}

/** How it stands now. @param nowMs by the clock of the target's health */
export function viewOf(target: UpstreamTarget, nowMs: number): UpstreamView {
  const { health, latencyMs, inFlight } = target;
  const avoided = health.avoided();
  const over = avoided !== null && health.standing(nowMs) >= STANDING.unchecked;
  const state = !avoided ? 'healthy' : over || health.probing ? 'probing' : avoided.ejected ? 'ejected' : 'suspect';
  const untilMs = avoided ? Math.round(Date.now() + avoided.untilMs - nowMs) : null;
  return { key: target.key, state, failuresInARow: health.failuresInARow, untilMs, latencyMs, inFlight };
}

/** Of what another process, or anybody, has written: the views whose every field is sound. */
export function soundViews(said: unknown): UpstreamView[] {
  return Array.isArray(said) ? said.filter(isSound) : [];
}

function isSound(said: unknown): said is UpstreamView {
  if (typeof said !== 'object' || said === null) return false;
  const { key, state, failuresInARow, untilMs, latencyMs, inFlight } = said as Partial<
    Record<keyof UpstreamView, unknown>
  >;
  return (
    typeof key === 'string' &&
    UPSTREAM_STATES.some((known) => known === state) &&
    [failuresInARow, inFlight].every(isCount) &&
    (untilMs === null || isWithin(untilMs, LATEST_MS)) &&
    (latencyMs === null || isWithin(latencyMs, LATEST_MS))
  );
}

const isWithin = (value: unknown, most: number): value is number =>
  typeof value === 'number' && value >= 0 && value <= most;
const isCount = (value: unknown): boolean => isWithin(value, MOST) && Number.isInteger(value);

/** One picture of what several processes have seen, by the keys of addresses: the worst state, the longest pause, the mean latency, the sum of what is under way. */
export function mergedByKey(views: readonly UpstreamView[]): Map<string, MergedView> {
  const groups = Map.groupBy(views, ({ key }) => key);
  return new Map([...groups].map(([key, group]) => [key, merged(key, group)]));
}

function merged(key: string, group: readonly UpstreamView[]): MergedView {
  const known = group.flatMap(({ latencyMs }) => latencyMs ?? []);
  const until = group.flatMap(({ untilMs }) => untilMs ?? []);
  const rank = Math.max(...group.map(({ state }) => UPSTREAM_STATES.indexOf(state)));
  return {
    key,
    state: UPSTREAM_STATES[rank] ?? 'unknown',
    failuresInARow: Math.max(...group.map(({ failuresInARow }) => failuresInARow)),
    untilMs: until.length > 0 ? Math.max(...until) : null,
    latencyMs: known.length > 0 ? sum(known) / known.length : null,
    inFlight: sum(group.map(({ inFlight }) => inFlight)),
    processes: group.length,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
