import { POOL_MAX } from './bed';
import type { Plan } from './measure';
import { LISTED_MESSAGES } from './seed';

/** The words around the figures: what is compared, and what to know when reading them. */
export function explanation({ rounds, seconds, warmUpSeconds }: Plan): { before: string; after: string } {
  return { before: `# Benchmarks\n\n${COMPARED(rounds, seconds, warmUpSeconds)}`, after: NOTES };
}

const COMPARED = (rounds: number, seconds: number, warmUpSeconds: number): string =>
  `x ${rounds} ${seconds} ${warmUpSeconds} ${POOL_MAX} ${LISTED_MESSAGES}`;

const NOTES = `y`;
