import { randomBytes } from 'node:crypto';
import { deriveKey } from './keys';
import { SecretBox, SecretBoxError } from './secret-box';

describe('deriveKey', () => {
  it('gives the same key for the same label and another for any other', () => {
    const secret = 'a secret of at least thirty-two characters';
    expect(deriveKey(secret, 'access').equals(deriveKey(Buffer.from(secret), 'access'))).toBe(true);
    expect(deriveKey(secret, 'access').equals(deriveKey(secret, 'refresh'))).toBe(false);
    expect(deriveKey(secret, 'access').equals(deriveKey(`${secret}!`, 'access'))).toBe(false);
    expect(deriveKey(secret, 'access')).toHaveLength(32);
    expect(deriveKey(secret, 'short', 12)).toHaveLength(12);
  });
});

describe('SecretBox', () => {
  const old = randomBytes(32);
  const box = new SecretBox([randomBytes(32), old]);

  it('opens what it sealed, and seals the same text differently each time', () => {
    const sealed = box.seal('päss 🔑', 'endpoint:1');
    expect(box.open(sealed, 'endpoint:1')).toBe('päss 🔑');
    expect(box.seal('päss 🔑', 'endpoint:1')).not.toBe(sealed);
    expect(box.open(box.seal('', 'c'), 'c')).toBe('');
    expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]+$/);
  });

  it('opens nothing in another context', () => {
    expect(() => box.open(box.seal('secret', 'endpoint:1'), 'endpoint:2')).toThrow(SecretBoxError);
  });

  it('opens nothing that was altered, at any place', () => {
    const sealed = box.seal('secret', 'c');
    const [version, id, data = ''] = sealed.split('.');
    const bytes = Buffer.from(data, 'base64url');
    for (let i = 0; i < bytes.length; i++) {
      const altered = Buffer.from(bytes);
      altered[i]! ^= 1;
      expect(() => box.open(`${version}.${id}.${altered.toString('base64url')}`, 'c')).toThrow(SecretBoxError);
    }
    for (const text of ['', 'v1', sealed.slice(0, 20), `v2${sealed.slice(2)}`, `v1.AAAAAAAA.${data}`, `${sealed}.x`])
      expect(() => box.open(text, 'c')).toThrow(SecretBoxError);
  });

  it('opens texts of a former key and says that they are outdated', () => {
    const sealed = new SecretBox([old]).seal('secret', 'c');
    expect(box.open(sealed, 'c')).toBe('secret');
    expect(box.isOutdated(sealed)).toBe(true);
    expect(box.isOutdated(box.seal('secret', 'c'))).toBe(false);
    expect(() => new SecretBox([randomBytes(32)]).open(sealed, 'c')).toThrow(SecretBoxError);
  });
});
