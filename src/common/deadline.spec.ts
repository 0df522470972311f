import { setTimeout as pause } from 'node:timers/promises';
import { waitedFor, withDeadline } from './deadline';

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

describe('waitedFor', () => {
  it('gives what the work gives, and its error', async () => {
    expect(await waitedFor(1_000, () => Promise.resolve('done'))).toBe('done');
    await expect(waitedFor(1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('waits no longer than it is told, whatever becomes of the work then', async () => {
    let fail: ((error: Error) => void) | undefined;
    const work = () => new Promise<never>((_resolve, reject) => (fail = reject));
    await expect(waitedFor(20, work)).rejects.toMatchObject({ name: 'TimeoutError' });
    fail?.(new Error('nobody hears of it'));
    await pause(1);
  });
});
