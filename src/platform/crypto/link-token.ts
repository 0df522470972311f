import { createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'uuid';

/** What a link opens: something of a tenant, by its id. What kind of thing, the key says. */
export interface Linked {
  tenantId: string;
  id: string;
}

const ID_BYTES = 16;
const BODY_BYTES = 2 * ID_BYTES + 4;
const MAC_BYTES = 16;

/** A token that opens one thing until then: both ids, the second of its end, and an HMAC-SHA-256 of them (128 bits). */
export function linkToken({ tenantId, id }: Linked, endsAtMs: number, key: Buffer): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.set(parse(tenantId), 0);
  body.set(parse(id), ID_BYTES);
  body.writeUInt32BE(Math.floor(endsAtMs / 1000), 2 * ID_BYTES);
  return Buffer.concat([body, macOf(body, key)]).toString('base64url');
}

/** What the token opens; null when it is none of ours, or has ended. */
export function readLinkToken(token: string, nowMs: number, key: Buffer): Linked | null {
  const bytes = Buffer.from(token, 'base64url');
  // Base64 has several spellings of the same bytes; ours is one.
  if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) return null;
  const body = bytes.subarray(0, BODY_BYTES);
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), macOf(body, key))) return null;
  if (body.readUInt32BE(2 * ID_BYTES) * 1000 <= nowMs) return null;
  return {
    tenantId: stringify(body.subarray(0, ID_BYTES)),
    id: stringify(body.subarray(ID_BYTES, 2 * ID_BYTES)),
  };
}

const macOf = (body: Buffer, key: Buffer): Buffer =>
  createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES);
