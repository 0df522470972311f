import type { Strategy } from '../gateway-route';

/** One upstream of a route in the eyes of a strategy. */
export interface Candidate {
  readonly weight: number;
  /** Whether it may be picked this time. */
  open: boolean;
  /** Requests on their way to it now. */
  readonly inFlight: number;
  /** What smooth weighted round-robin owes it. */
  credit: number;
}

/** Whose turn it is at one route. */
export interface Turns<C extends Candidate = Candidate> {
  readonly candidates: readonly C[];
  /** Where the next look begins. */
  next: number;
}

/** Chooses among the open candidates, null where there is none. @param random 0 to 1, 1 excluded */
type Choose = <C extends Candidate>(turns: Turns<C>, random: () => number) => C | null;

/** Everybody open in turn; weights do not count. */
const roundRobin: Choose = (turns) => {
  const { candidates, next } = turns;
  for (let step = 0; step < candidates.length; step += 1) {
    const index = (next + step) % candidates.length;
    const candidate = candidates[index];
    if (!candidate?.open) continue;
    turns.next = index + 1;
    return candidate;
  }
  return null;
};

/**
 * By weight, and evenly in time: the smooth weighted round-robin of nginx. Each open candidate earns its weight, the richest
 * is taken and pays what all have earned.
 */
const weighted: Choose = ({ candidates }) => {
  let best: (typeof candidates)[number] | null = null;
  let earned = 0;
  for (const candidate of candidates) {
    if (!candidate.open) continue;
    candidate.credit += candidate.weight;
    earned += candidate.weight;
    if (best === null || candidate.credit > best.credit) best = candidate;
  }
  if (best) best.credit -= earned;
  return best;
};

/** By chance, as likely as the weights say. */
const random: Choose = ({ candidates }, chance) => {
  let sum = 0;
  for (const { open, weight } of candidates) if (open) sum += weight;
  let left = chance() * sum;
  let last: (typeof candidates)[number] | null = null;
  for (const candidate of candidates) {
    if (!candidate.open) continue;
    last = candidate;
    left -= candidate.weight;
    if (left < 0) break;
  }
  return last;
};

/** Whoever has the least under way for its weight; those alike take turns. */
const leastConnections: Choose = (turns) => {
  const { candidates, next } = turns;
  let best: (typeof candidates)[number] | null = null;
  let at = next;
  for (let step = 0; step < candidates.length; step += 1) {
    const index = (next + step) % candidates.length;
    const candidate = candidates[index];
    if (!candidate?.open) continue;
    if (best !== null && candidate.inFlight * best.weight >= best.inFlight * candidate.weight) continue;
    best = candidate;
    at = index;
  }
  turns.next = at + 1;
  return best;
};

/** The first open one in the order of the route. */
const first: Choose = ({ candidates }) => candidates.find(({ open }) => open) ?? null;

/** The strategies by their names in a route. */
export const STRATEGY: Readonly<Record<Strategy, Choose>> = {
  'round-robin': roundRobin,
  weighted,
  random,
  'least-connections': leastConnections,
  first,
};
