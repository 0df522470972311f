import { eventually } from './wait';

describe('eventually', () => {
  it('gives what the check gives once it is truthy', async () => {
    let calls = 0;
    await expect(eventually(() => ++calls === 3 && 'third', { everyMs: 1 })).resolves.toBe('third');
    expect(calls).toBe(3);
  });

  it('takes an assertion that no longer fails', async () => {
    let calls = 0;
    await eventually(() => expect(++calls).toBeGreaterThan(2), { everyMs: 1 });
    expect(calls).toBe(3);
  });

  it('says what it waited for and what stood in the way', async () => {
    const refuses = () => {
      throw new Error('the door is shut');
    };
    await expect(eventually(refuses, { timeoutMs: 20, everyMs: 1, what: 'the door' })).rejects.toThrow(
      'Waited 20 ms in vain for the door: the door is shut',
    );
    await expect(eventually(() => false, { timeoutMs: 20, everyMs: 1 })).rejects.toThrow(/it gave false/);
  });

  it('does not wait longer for a check that hangs', async () => {
    const since = performance.now();
    await expect(eventually(() => new Promise(() => undefined), { timeoutMs: 30 })).rejects.toThrow('did not return');
    expect(performance.now() - since).toBeLessThan(2_000);
  });
});
