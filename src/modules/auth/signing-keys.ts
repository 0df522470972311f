import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import type { Config } from '../../config/config';
import { deriveKey } from '../../platform/crypto/keys';

/** The two keys that come from one JWT secret. */
export interface SigningKey {
  /** Names the secret in the header of a token and tells nothing of it: 8 hexadecimal digits. */
  kid: string;
  access: KeyObject;
  refresh: KeyObject;
}

/** The keys of JWT_SECRET, which sign, and of JWT_PREVIOUS_SECRETS, which still verify. */
export class SigningKeys {
  readonly current: SigningKey;
  /** The current key first, then the former ones in the order of the configuration. */
  readonly all: readonly SigningKey[];
  private readonly byKid: Map<string, SigningKey>;

  constructor(config: Pick<Config, 'JWT_SECRET' | 'JWT_PREVIOUS_SECRETS'>) {
    if (!config.JWT_SECRET) throw new Error('JWT_SECRET is needed before anybody can log in');
    this.current = keyOf(config.JWT_SECRET);
    this.all = [this.current, ...config.JWT_PREVIOUS_SECRETS.map(keyOf)];
    this.byKid = new Map(this.all.map((key) => [key.kid, key]));
  }

  /** Undefined when no secret of ours has this name. */
  find(kid: unknown): SigningKey | undefined {
    return typeof kid === 'string' ? this.byKid.get(kid) : undefined;
  }
}

// KeyObjects: from a string jsonwebtoken would try to read a public key first, at every call.
const keyOf = (secret: string): SigningKey => ({
  kid: createHash('sha256').update(deriveKey(secret, 'jwt key id')).digest('hex').slice(0, 8),
  access: createSecretKey(Buffer.from(secret, 'utf8')),
  refresh: createSecretKey(deriveKey(secret, 'refresh')),
});
