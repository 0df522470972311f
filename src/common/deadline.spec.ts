import { setTimeout as pause } from 'node:timers/promises';
import { waitedFor } from './deadline';

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
