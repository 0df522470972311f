import { hash, randomBytes, randomInt } from 'node:crypto';

const SECRET_BYTES = 32;
const NAME_LENGTH = 8;
/** Read aloud and typed without mistake: no `0`, `o`, `1`, `l` or `i`. */
const READABLE = 'abcdefghjkmnpqrstuvwxyz23456789';
const SHAPE = /^(sbk_[a-z2-9]{8})_([A-Za-z0-9_-]{43})$/;

/** A key as its owner gets to see it, once, and what is kept of it. */
export interface NewSecret {
  /** `prefix` `_` 43 characters of base64url. */
  key: string;
  /** SHA-256 of the 32 random bytes: with 256 random bits there is nothing to guess, and no slow hash is needed. */
  hash: Buffer;
}

/** A new readable name, by which people know the key from others: `sbk_` and 8 characters. */
export function newPrefix(): string {
  return `sbk_${Array.from({ length: NAME_LENGTH }, () => READABLE[randomInt(READABLE.length)]).join('')}`;
}

/** A new secret under the name. */
export function newSecret(prefix: string): NewSecret {
  const bytes = randomBytes(SECRET_BYTES);
  return { key: `${prefix}_${bytes.toString('base64url')}`, hash: hash('sha256', bytes, 'buffer') };
}

/** What a key says of itself. */
export interface ReadKey {
  prefix: string;
  /** Of its secret, base64url. */
  hash: string;
}

/** The name and the hash of a key; null when it is not of the shape, in its one canonical spelling. */
export function readKey(key: string): ReadKey | null {
  const [, prefix = '', secret = ''] = SHAPE.exec(key) ?? [];
  const bytes = Buffer.from(secret, 'base64url');
  if (prefix === '' || bytes.toString('base64url') !== secret) return null;
  return { prefix, hash: hash('sha256', bytes, 'base64url') };
}
