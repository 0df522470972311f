import { runInNewContext } from 'node:vm';
import { after, type Soon } from './soon';

const next = (value: number): number => value + 1;

describe('after', () => {
  it('goes on at once with what is there, and throws at once', () => {
    expect(after(1, next)).toBe(2);
    expect(after<null, string>(null, String)).toBe('null');
    expect(() =>
      after(1, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
  });

  const promises: [string, () => Soon<number>][] = [
    ['a promise', () => Promise.resolve(1)],
    ['a promise of another realm', () => runInNewContext('Promise.resolve(1)') as Promise<number>],
    ['what is merely awaited', () => ({ then: (done: (value: number) => void) => done(1) }) as Promise<number>],
  ];

  it.each(promises)('waits for %s', async (_what, promise) => {
    const seen: unknown[] = [];
    const outcome = after(promise(), (value) => seen.push(value));
    expect(seen).toEqual([]);
    expect(outcome).toBeInstanceOf(Promise);
    await outcome;
    expect(seen).toEqual([1]);
  });

  it('rejects where the promise does, and goes on with nothing', async () => {
    const seen: unknown[] = [];
    const refusing = { then: (_done: unknown, refuse: (error: Error) => void) => refuse(new Error('later')) };
    for (const promise of [Promise.reject(new Error('later')), refusing as unknown as Promise<number>])
      await expect(after(promise, (value) => seen.push(value))).rejects.toThrow('later');
    expect(seen).toEqual([]);
  });
});
