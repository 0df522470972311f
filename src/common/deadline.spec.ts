import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from './deadline';

describe('withDeadline', () => {
  it('gives what the work gives, and never aborts what has ended', async () => {
    let kept: AbortSignal | undefined;
    const given = await withDeadline(20, (signal) => {
      kept = signal;
      return Promise.resolve('done');
    });
    await pause(60);
    expect([given, kept?.aborted]).toEqual(['done', false]);
  });

  it('aborts what takes too long, and says why', async () => {
    const work = (signal: AbortSignal) => pause(60_000, undefined, { signal });
    await expect(withDeadline(20, work)).rejects.toMatchObject({ cause: { name: 'TimeoutError' } });
  });

  it('passes an error of the work on', async () => {
    await expect(withDeadline(1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
