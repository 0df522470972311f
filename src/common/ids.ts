import { randomFillSync } from 'node:crypto';
import { v7, validate } from 'uuid';

const ID_BYTES = 16;
/** Random bytes are fetched for so many ids at once: fetching them costs more than all else of an id. */
const randomness = new Uint8Array(ID_BYTES * 256);
let unused = 0;

/** The millisecond and the count within it of the id before. */
let msecs = 0;
let seq = 0;

function randomBytesOfOne(): Uint8Array {
  if (unused === 0) {
    randomFillSync(randomness);
    unused = randomness.length;
  }
  unused -= ID_BYTES;
  return randomness.subarray(unused, unused + ID_BYTES);
}

/**
 * A new UUIDv7 (RFC 9562): grows with time, so that ids order rows as they came and indexes grow at their end. Each id of one
 * process is greater than the one before, also within a millisecond and when the clock is set back (RFC 9562 §6.2).
 */
export function newId(): string {
  const random = randomBytesOfOne();
  const nowMs = Date.now();
  if (nowMs > msecs) {
    msecs = nowMs;
    seq = new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1; // half of its range is left to count up in
  } else {
    seq = (seq + 1) >>> 0;
    if (seq === 0) msecs += 1;
  }
  return v7({ random, msecs, seq });
}

/** Whether the text is a UUID of any version, in its canonical spelling. */
export const isId = (text: string): boolean => validate(text);

/** The smallest UUIDv7 of that millisecond of the Unix clock; times before 1970 count as 1970. */
export function firstIdAt(unixMs: number): string {
  const hex = Math.min(Math.max(Math.floor(unixMs), 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Ids of products, customers and orders: chosen by the caller, or ours. They stand in addresses and files as they are. */
export const TEXT_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** An id of ours where callers may choose their own: `prod_…`, which grows with time as its UUIDv7 does. */
export const textIdOf = (prefix: 'prod' | 'cust' | 'ord', id: string = newId()): string =>
  `${prefix}_${id.replaceAll('-', '')}`;
