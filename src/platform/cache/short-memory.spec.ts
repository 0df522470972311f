import { ShortMemory } from './short-memory';

const gate = () => {
  let open: (value: { n: number }) => void = () => undefined;
  const passed = new Promise<{ n: number }>((resolve) => (open = resolve));
  return { open, passed };
};

describe('ShortMemory', () => {
  it('asks once for many, and then answers without a promise', async () => {
    const memory = new ShortMemory<{ n: number }>({ max: 10, ttlMs: 60_000 });
    const load = jest.fn(() => Promise.resolve({ n: 1 }));
    expect(await Promise.all([memory.get('a', load), memory.get('a', load)])).toEqual([{ n: 1 }, { n: 1 }]);
    expect(memory.get('a', load)).toEqual({ n: 1 });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('keeps nothing that was being read when it was forgotten', async () => {
    const memory = new ShortMemory<{ n: number }>({ max: 10, ttlMs: 60_000 });
    const [old, young] = [gate(), gate()];
    const first = memory.get('a', () => old.passed);
    memory.forget('a');
    const second = memory.get('a', () => young.passed);
    young.open({ n: 2 });
    expect(await second).toEqual({ n: 2 });
    old.open({ n: 1 });
    expect(await first).toEqual({ n: 1 });
    expect(memory.get('a', () => Promise.reject(new Error('not asked')))).toEqual({ n: 2 });
  });

  it('keeps no failure', async () => {
    const memory = new ShortMemory<{ n: number }>({ max: 10, ttlMs: 60_000 });
    await expect(memory.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await memory.get('a', () => Promise.resolve({ n: 3 }))).toEqual({ n: 3 });
  });
});
