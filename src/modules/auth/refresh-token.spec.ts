import { randomBytes } from 'node:crypto';
import { newId } from '../../common/ids';
import { isGenuine, makeRefreshToken, parseRefreshToken } from './refresh-token';
import { SigningKeys } from './signing-keys';

const SECRET = 'one secret of at least 32 characters';
const OTHER = 'another secret of 32 characters or so';
const keys = new SigningKeys({ JWT_SECRET: SECRET, JWT_PREVIOUS_SECRETS: [] });
const claims = { tenantId: newId(), loginId: newId(), generation: 7 };
const seed = randomBytes(32);

describe('a refresh token', () => {
  it('says of which login and generation it is, and is the same each time', () => {
    const token = makeRefreshToken(claims, seed, keys.current);
    expect(token).toMatch(/^rt_[\w-]{48}\.[\w-]{43}$/);
    expect(makeRefreshToken(claims, seed, keys.current)).toBe(token);
    expect(parseRefreshToken(token)).toMatchObject(claims);
  });

  it('is genuine with the seed and the secret that made it, the former secret included', () => {
    const parsed = parseRefreshToken(makeRefreshToken(claims, seed, keys.current));
    if (!parsed) throw new Error('not parsed');
    const rotated = new SigningKeys({ JWT_SECRET: OTHER, JWT_PREVIOUS_SECRETS: [SECRET] });
    const strange = new SigningKeys({ JWT_SECRET: OTHER, JWT_PREVIOUS_SECRETS: [] });
    expect(isGenuine(parsed, seed, keys.all)).toBe(true);
    expect(isGenuine(parsed, seed, rotated.all)).toBe(true);
    expect(isGenuine(parsed, seed, strange.all)).toBe(false);
    expect(isGenuine(parsed, randomBytes(32), keys.all)).toBe(false);
  });

  it('is no longer genuine with another generation, login or tenant', () => {
    const genuine = makeRefreshToken(claims, seed, keys.current);
    for (const change of [{ generation: 8 }, { loginId: newId() }, { tenantId: newId() }]) {
      const other = makeRefreshToken({ ...claims, ...change }, seed, keys.current);
      const forged = parseRefreshToken(`${other.split('.')[0]}.${genuine.split('.')[1]}`);
      if (!forged) throw new Error('not parsed');
      expect(isGenuine(forged, seed, keys.all)).toBe(false);
    }
  });

  it('has one spelling only', () => {
    const token = makeRefreshToken(claims, seed, keys.current);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(token.at(-1) ?? '');
    // The last of 43 characters carries four bits: its two lowest would otherwise be free.
    const twin = token.slice(0, -1) + alphabet[last ^ 1];
    expect(parseRefreshToken(twin)).toBeNull();
  });

  it.each(['', 'rt_', 'rt_.', 'x', `rt_${'A'.repeat(47)}.${'A'.repeat(43)}`, `rt_${'A'.repeat(48)}.${'A'.repeat(42)}`])(
    'is not %j',
    (text) => {
      expect(parseRefreshToken(text)).toBeNull();
    },
  );
});
