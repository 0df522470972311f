import { setImmediate as nextRound } from 'node:timers/promises';
import { Rounds } from '../../../test/support/rounds';
import { inTurn, mapInTurns } from './turns';

/** Longer than what one round gives to long computations. */
const LONG_MS = 6;

function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('work in turns', () => {
  it('gives what the work gives, in the order of the items', async () => {
    expect(await mapInTurns(new Set([3, 1, 2]), (n) => n * 2)).toEqual([6, 2, 4]);
    expect(await mapInTurns([], busy)).toEqual([]);
    expect(await inTurn(() => 7)).toBe(7);
  });

  it('lets the event loop go round between any two slices, of however many computations at once', async () => {
    await nextRound(); // in which nobody has begun
    const rounds = new Rounds();
    const doneIn: number[] = [];
    const slice = (): void => {
      busy(LONG_MS);
      doneIn.push(rounds.count);
    };
    await Promise.all([mapInTurns(upTo(5), slice), mapInTurns(upTo(5), slice), ...upTo(5).map(() => inTurn(slice))]);
    rounds.stop();
    expect(doneIn).toHaveLength(15);
    expect(new Set(doneIn).size).toBe(15); // no two of them in one round
  });

  it('waits for nothing as long as little is to be done', async () => {
    const rounds = new Rounds();
    await nextRound();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    const before = rounds.count;
    await mapInTurns(upTo(100), (n) => n);
    await inTurn(() => undefined);
    expect(rounds.count).toBe(before);
    clock.mockRestore();
    rounds.stop();
  });

  it('passes a failure on, and goes on with the others', async () => {
    const failing = mapInTurns(upTo(3), (n) => {
      busy(LONG_MS);
      if (n === 1) throw new Error('no');
    });
    const other = mapInTurns(upTo(3), (n) => {
      busy(LONG_MS);
      return n;
    });
    await expect(failing).rejects.toThrow('no');
    await expect(inTurn(() => JSON.parse('{') as unknown)).rejects.toThrow(SyntaxError);
    expect(await other).toEqual([0, 1, 2]);
  });
});
