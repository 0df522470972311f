import { hkdfSync } from 'node:crypto';

const SALT = 'switchboard';

/**
 * A key for one purpose out of a secret of the installation (HKDF-SHA-256, RFC 5869): the same label always gives the same
 * key, and none of them tells anything of another or of the secret.
 */
export function deriveKey(secret: string | Buffer, label: string, bytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, SALT, label, bytes));
}
