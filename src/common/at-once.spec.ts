import { atOnce } from './at-once';

describe('atOnce', () => {
  it('does the work for each item once, in their order, and no more at once than it may', async () => {
    const begun: number[] = [];
    let [now, most] = [0, 0];
    await atOnce([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      begun.push(item);
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, item));
      now -= 1;
    });
    expect([begun, most]).toEqual([[1, 2, 3, 4, 5, 6, 7], 3]);
  });

  it('goes on past one that takes long', async () => {
    const ended: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await atOnce([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) await promise;
      ended.push(item);
      if (item === 4) resolve();
    });
    expect(ended).toEqual([2, 3, 4, 1]);
  });

  it('begins nothing more when it is over, and has nothing to do for nothing', async () => {
    const begun: number[] = [];
    const work = (item: number) => Promise.resolve(void begun.push(item));
    await atOnce([1, 2, 3, 4], 1, work, () => begun.length === 2);
    await atOnce([], 5, work);
    expect(begun).toEqual([1, 2]);
  });
});
