import { KeyedSlots } from './keyed-slots';

/** Work that ends when the test says so. */
function work(): { ends: () => void; done: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { ends: resolve, done: promise };
}

describe('KeyedSlots', () => {
  it('says of each key how many are taken, and of one that is free again nothing', () => {
    const slots = new KeyedSlots(3);
    expect(slots.params).toEqual([[], [], 3]);
    for (const key of ['a', 'b', 'a']) slots.take(key);
    expect(slots.params).toEqual([['a', 'b'], [2, 1], 3]);
    slots.release('b');
    slots.release('a');
    expect(slots.params).toEqual([['a'], [1], 3]);
  });

  it('has a slot taken while the work lasts, and says when it is free', async () => {
    const slots = new KeyedSlots(3);
    const { ends, done } = work();
    const seen: unknown[] = [];
    slots.run('a', done, () => seen.push(slots.params));
    expect(slots.params).toEqual([['a'], [1], 3]);
    ends();
    await slots.settled();
    expect(seen).toEqual([[[], [], 3]]);
  });

  it('is settled when all work has ended', async () => {
    const slots = new KeyedSlots(3);
    const [one, other] = [work(), work()];
    slots.run('a', one.done);
    slots.run('b', other.done);
    let settled = false;
    const waiting = slots.settled().then(() => (settled = true));
    one.ends();
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    other.ends();
    await waiting;
    expect(slots.params).toEqual([[], [], 3]);
  });
});
