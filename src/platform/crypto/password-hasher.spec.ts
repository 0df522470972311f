import bcrypt from 'bcrypt';
import { PasswordHasher } from './password-hasher';

const hasher = new PasswordHasher(4);

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

  it('works as hard where there is nobody, or nothing to compare, as where the password is wrong', async () => {
    const kept = await hasher.hash('correct horse battery');
    const compared = jest.spyOn(bcrypt, 'compare');
    expect(await hasher.matches('wrong', kept)).toBe(false);
    expect(await hasher.matches('wrong', null)).toBe(false);
    expect(await hasher.matches('x'.repeat(100), kept)).toBe(false);
    // The cost stands in the hash that is compared with: each of the three pays for one comparison of the same cost.
    const costs = compared.mock.calls.map(([, against]) => bcrypt.getRounds(against));
    expect(costs).toEqual([4, 4, 4]);
  });
});
