import fc from 'fast-check';
import { STRATEGIES } from '../gateway-route';
import { type Candidate, STRATEGY, type Turns } from './strategies';

const PICKS = 10_000;
const TOLERANCE = 0.03;

interface Named extends Candidate {
  inFlight: number;
}

const turnsOf = (weights: number[]): Turns<Named> => ({
  candidates: weights.map((weight) => ({ weight, open: true, inFlight: 0, credit: 0 })),
  next: 0,
});

/** A generator of even numbers between 0 and 1, the same each time. */
function evenly(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each was picked. */
function countsOf(name: keyof typeof STRATEGY, turns: Turns<Named>, picks = PICKS): number[] {
  const counts = turns.candidates.map(() => 0);
  const random = evenly(7);
  for (let i = 0; i < picks; i += 1) {
    const picked = STRATEGY[name](turns, random);
    if (picked) counts[turns.candidates.indexOf(picked)]! += 1;
  }
  return counts;
}

const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 });

describe('the strategies', () => {
  it.each(STRATEGIES)('%s picks nobody who is not open, and somebody whenever one is', (name) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), { maxLength: 8 }), (them) => {
        const turns = turnsOf(them.map(([weight]) => weight));
        them.forEach(([, open], index) => (turns.candidates[index]!.open = open));
        for (let i = 0; i < 20; i += 1) {
          const picked = STRATEGY[name](turns, Math.random);
          expect(picked !== null).toBe(them.some(([, open]) => open));
          expect(picked?.open ?? true).toBe(true);
        }
      }),
    );
  });

  it.each(['weighted', 'random'] as const)(
    '%s keeps the shares within 3 %% of the weights over 10,000 requests',
    (name) => {
      const given = [1, 2, 3, 4];
      const counts = countsOf(name, turnsOf(given));
      const sum = given.reduce((total, weight) => total + weight, 0);
      given.forEach((weight, index) => {
        const share = (counts[index] ?? 0) / PICKS;
        expect(Math.abs(share - weight / sum)).toBeLessThanOrEqual(TOLERANCE);
      });
    },
  );

  it('weighted is never a whole turn off, whatever the weights', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 500 }), (given, picks) => {
        const sum = given.reduce((total, weight) => total + weight, 0);
        const counts = countsOf('weighted', turnsOf(given), picks);
        given.forEach((weight, index) =>
          expect(Math.abs((counts[index] ?? 0) - (picks * weight) / sum)).toBeLessThan(given.length),
        );
      }),
    );
  });

  it('weighted does not send in bursts', () => {
    const turns = turnsOf([5, 1, 1]);
    const order = Array.from({ length: 7 }, () => turns.candidates.indexOf(STRATEGY.weighted(turns, Math.random)!));
    expect(order).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it('round-robin gives equal turns whatever the weights, and to those alone that are open', () => {
    fc.assert(
      fc.property(weights, (given) => {
        const counts = countsOf('round-robin', turnsOf(given), given.length * 10);
        expect(counts).toEqual(given.map(() => 10));
      }),
    );
    const turns = turnsOf([1, 1, 1, 1]);
    turns.candidates[1]!.open = false;
    expect(countsOf('round-robin', turns, 300)).toEqual([100, 0, 100, 100]);
  });

  it('least-connections goes where least is under way for the weight, those alike in turn', () => {
    const turns = turnsOf([1, 1, 2]);
    expect(countsOf('least-connections', turns, 300)).toEqual([100, 100, 100]);
    turns.candidates.forEach((candidate, index) => (candidate.inFlight = [2, 1, 3][index]!));
    expect(countsOf('least-connections', turns, 10)).toEqual([0, 10, 0]);
    turns.candidates[2]!.inFlight = 1;
    expect(countsOf('least-connections', turns, 10)).toEqual([0, 0, 10]);
  });

  it('least-connections keeps more away from the slow under unequal delays', () => {
    const turns = turnsOf([1, 1]);
    const counts = [0, 0];
    const ends: { at: number; candidate: Named }[] = [];
    for (let now = 0; now < PICKS; now += 1) {
      for (const end of ends.filter(({ at }) => at === now)) end.candidate.inFlight -= 1;
      const picked = STRATEGY['least-connections'](turns, Math.random)!;
      const index = turns.candidates.indexOf(picked);
      picked.inFlight += 1;
      counts[index]! += 1;
      ends.push({ at: now + (index === 0 ? 4 : 36), candidate: picked });
      if (ends.length > 100) ends.splice(0, 50);
    }
    // Nine times as slow: a ninth of the other's share.
    expect(Math.abs((counts[1] ?? 0) / PICKS - 0.1)).toBeLessThanOrEqual(TOLERANCE);
  });

  it('first stays with the first that is open', () => {
    const turns = turnsOf([1, 9]);
    expect(countsOf('first', turns, 10)).toEqual([10, 0]);
    turns.candidates[0]!.open = false;
    expect(countsOf('first', turns, 10)).toEqual([0, 10]);
  });
});
