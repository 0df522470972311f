/** How far a bucket's middle may be from what fell into it; stats-statements.ts sorts by the same number. */
const ERROR = 0.019;
const GROWTH = (1 + ERROR) / (1 - ERROR);

/** Milliseconds in the middle of the bucket, to four digits: within 2 % of each time of a millisecond or more in it. */
export const middleOf = (bucket: number): number => Number(((2 * GROWTH ** bucket) / (1 + GROWTH)).toPrecision(4));
