import { WaitingLine } from './waiting-line';

/** Work that ends when told to, and knows how many of it ran at once. */
function gatedWork() {
  const gates: (() => void)[] = [];
  let running = 0;
  const started: string[] = [];
  let most = 0;
  const work = (name: string) => async () => {
    started.push(name);
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => gates.push(resolve));
    running -= 1;
    return name;
  };
  return { work, started, openNext: () => gates.shift()?.(), most: () => most };
}

describe('WaitingLine', () => {
  it('runs only so many at once, the others in the order in which they came', async () => {
    const line = new WaitingLine(2, 10);
    const { work, started, openNext, most } = gatedWork();
    const results = ['a', 'b', 'c', 'd'].map((name) => line.run(work(name)));
    expect(started).toEqual(['a', 'b']);
    openNext();
    await results[0];
    openNext();
    await results[1];
    openNext();
    openNext();
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd']);
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    expect(most()).toBe(2);
  });

  it('turns away at once whoever finds it full, and takes callers again afterwards', async () => {
    const line = new WaitingLine(1, 1);
    const { work, started, openNext } = gatedWork();
    const first = line.run(work('first'));
    const second = line.run(work('second'));
    await expect(line.run(work('third'))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      headers: { 'Retry-After': '5' },
    });
    openNext();
    await first;
    openNext();
    await second;
    expect(started).toEqual(['first', 'second']);
    const fourth = line.run(work('fourth'));
    openNext();
    expect(await fourth).toBe('fourth');
  });

  it('gives the place on after work that fails', async () => {
    const line = new WaitingLine(1, 1);
    const failed = line.run(() => Promise.reject(new Error('broken')));
    const next = line.run(() => Promise.resolve('next'));
    await expect(failed).rejects.toThrow('broken');
    expect(await next).toBe('next');
    expect(await line.run(() => Promise.resolve('after'))).toBe('after');
  });
});
