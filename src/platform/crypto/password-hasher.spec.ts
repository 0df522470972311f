import { PasswordHasher } from './password-hasher';

const hasher = new PasswordHasher(4);

const costOf = async (work: () => Promise<unknown>): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
};

describe('PasswordHasher', () => {
  it('knows the password that it hashed, and no other', async () => {
    const kept = await hasher.hash('correct horse battery');
    expect(kept).toMatch(/^\$2b\$04\$/);
    expect(await hasher.matches('correct horse battery', kept)).toBe(true);
    expect(await hasher.matches('correct horse batterY', kept)).toBe(false);
  });

  it('never lets two passwords pass that differ only beyond the 72 bytes that bcrypt reads', async () => {
    const password = 'é'.repeat(36);
    const kept = await hasher.hash(password);
    expect(await hasher.matches(password, kept)).toBe(true);
    expect(await hasher.matches(`${password}x`, kept)).toBe(false);
    expect(() => hasher.hash(`${password}x`)).toThrow('72 bytes');
  });

  it('takes as long where there is nobody as where the password is wrong', async () => {
    const slow = new PasswordHasher(9);
    const kept = await slow.hash('correct horse battery');
    const wrong = await costOf(() => slow.matches('wrong', kept));
    const nobody = await costOf(() => slow.matches('wrong', null));
    const tooLong = await costOf(() => slow.matches('x'.repeat(100), kept));
    expect(nobody / wrong).toBeGreaterThan(0.5);
    expect(nobody / wrong).toBeLessThan(2);
    expect(tooLong / wrong).toBeGreaterThan(0.5);
    expect(tooLong / wrong).toBeLessThan(2);
    expect(await slow.matches('wrong', null)).toBe(false);
  });
});
