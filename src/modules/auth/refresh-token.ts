import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from './signing-keys';

/** What a refresh token names. */
export interface RefreshClaims {
  tenantId: string;
  loginId: string;
  /** How many times the login had been refreshed when the token was made. */
  generation: number;
}

/** A token that is well-formed; whether it is genuine shows only with the seed of its login. */
export interface ParsedRefreshToken extends RefreshClaims {
  payload: Buffer;
  mac: Buffer;
}

const ID_BYTES = 16;
const PAYLOAD_BYTES = 2 * ID_BYTES + 4;
const SHAPE = /^rt_([A-Za-z0-9_-]{48})\.([A-Za-z0-9_-]{43})$/;

/**
 * Makes the token of a generation: `rt_` payload `.` HMAC-SHA-256 over the login's random seed and the payload. The same
 * login and generation always give the same token, so that none needs to be stored (docs/decisions).
 * @param seed the 32 random bytes of the login
 */
export function makeRefreshToken(claims: RefreshClaims, seed: Buffer, key: SigningKey): string {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.write(hexOf(claims.tenantId), 0, 'hex');
  payload.write(hexOf(claims.loginId), ID_BYTES, 'hex');
  payload.writeUInt32BE(claims.generation, 2 * ID_BYTES);
  return `rt_${payload.toString('base64url')}.${macOf(payload, seed, key.refresh).toString('base64url')}`;
}

/** Takes a token apart; null when it is not of the shape, in its one canonical spelling. */
export function parseRefreshToken(token: string): ParsedRefreshToken | null {
  const [, head = '', tail = ''] = SHAPE.exec(token) ?? [];
  const payload = Buffer.from(head, 'base64url');
  const mac = Buffer.from(tail, 'base64url');
  if (head === '' || mac.toString('base64url') !== tail) return null;
  return {
    tenantId: idOf(payload.subarray(0, ID_BYTES)),
    loginId: idOf(payload.subarray(ID_BYTES, 2 * ID_BYTES)),
    generation: payload.readUInt32BE(2 * ID_BYTES),
    payload,
    mac,
  };
}

/** Whether one of the keys made the token for the login of this seed; the comparison takes constant time. */
export function isGenuine(token: ParsedRefreshToken, seed: Buffer, keys: readonly SigningKey[]): boolean {
  return keys.some((key) => timingSafeEqual(macOf(token.payload, seed, key.refresh), token.mac));
}

const macOf = (payload: Buffer, seed: Buffer, key: KeyObject): Buffer =>
  createHmac('sha256', key).update(seed).update(payload).digest();

const hexOf = (id: string): string => id.replaceAll('-', '');

const idOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
