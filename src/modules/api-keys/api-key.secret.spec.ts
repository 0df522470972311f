import { newPrefix, newSecret, readKey } from './api-key.secret';

describe('the secret of an API key', () => {
  it('is read back to its name and hash', () => {
    const prefix = newPrefix();
    const { key, hash } = newSecret(prefix);
    expect(key).toMatch(/^sbk_[a-z2-9]{8}_[\w-]{43}$/);
    expect(readKey(key)).toEqual({ prefix, hash: hash.toString('base64url') });
    expect(hash).toHaveLength(32);
  });

  it('has one spelling: whatever else decodes to the same bytes is refused', () => {
    const { key } = newSecret(newPrefix());
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const other = alphabet[alphabet.indexOf(key.at(-1) ?? '') ^ 1] ?? '';
    for (const bad of [key.slice(0, -1) + other, `${key}=`, ` ${key}`, key.slice(4), key.toUpperCase(), ''])
      expect(readKey(bad)).toBeNull();
  });
});
