import { randomBytes } from 'node:crypto';

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/** A lower-case ULID: 10 characters of time in ms, 16 of chance; no order within one millisecond. */
export function ulid(nowMs: number): string {
  let time = '';
  for (let rest = nowMs, place = 0; place < 10; place += 1) {
    time = (CROCKFORD[rest % 32] ?? '0') + time;
    rest = Math.floor(rest / 32);
  }
  let chance = '';
  for (const byte of randomBytes(16)) chance += CROCKFORD[byte & 31] ?? '0';
  return time + chance;
}

/** The id of an event: `evt_` and a lower-case ULID. */
export function eventId(nowMs: number): string {
  return `evt_${ulid(nowMs)}`;
}

/** A bare id as NOWEB and GOWS make for messages sent by the API: `3EB0` and hex, 22 characters. */
export function apiMessageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}

/** A bare id as a phone makes it: 32 hex characters that begin with 3A. */
export function phoneMessageId(): string {
  return `3A${randomBytes(15).toString('hex').toUpperCase()}`;
}

/** The request id of a webhook call: about 17 characters, not a uuid. */
export function webhookRequestId(): string {
  return (BigInt(Date.now()) * 1_000_000_000n + BigInt(randomBytes(4).readUInt32BE() % 1_000_000_000)).toString(36);
}

/** What a QR code holds: `2@` and four base64 parts. */
export function qrValue(): string {
  const part = () => randomBytes(32).toString('base64');
  return `2@${randomBytes(64).toString('base64')},${part()},${part()},${part()}`;
}

/** A pairing code as WhatsApp shows it: `ABCD-1234`. */
export function pairingCode(): string {
  const letters = 'ABCDEFGHJKLMNPQRSTVWXYZ123456789';
  const code = [...randomBytes(8)].map((byte) => letters[byte & 31] ?? 'A').join('');
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
