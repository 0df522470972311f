import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { newId } from '../../src/common/ids';
import type { TestSession } from './factories';

const FOLDER = path.join(__dirname, '../fixtures/waha');

/** Names of the bodies that a real WAHA posted, without `.json`. */
export const fixtureNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => !name.startsWith('_'))
    .map((name) => name.replace(/\.json$/, ''));

/** The text of a file of the measured bodies. */
export const fixture = (name: string): string => readFileSync(path.join(FOLDER, `${name}.json`), 'utf8');

/** The whole request that a real WAHA made, as it was measured. */
export interface MeasuredRequest {
  headers: Record<string, string>;
  rawBody: string;
  hmacKey: string;
}

export const measuredRequest = (): MeasuredRequest => JSON.parse(fixture('_full-http-request')) as MeasuredRequest;

/** What WAHA puts into X-Webhook-Hmac. */
export const signatureOf = (secret: string, body: string | Buffer): string =>
  createHmac('sha512', secret).update(body).digest('hex');

/** The headers of a body that is signed with the secret. */
export const signed = (secret: string, body: string | Buffer): { headers: Record<string, string> } => ({
  headers: { 'x-webhook-hmac': signatureOf(secret, body), 'x-webhook-hmac-algorithm': 'sha512' },
});

/** An envelope of that session, with an event id of its own unless one is named. */
export function envelope(session: TestSession, event: string, more: Record<string, unknown> = {}): string {
  const id = `evt_${newId().replaceAll('-', '')}`;
  return JSON.stringify({ id, timestamp: Date.now(), event, session: session.wahaName, payload: {}, ...more });
}

/** Payload of an inbound text with that bare id. */
export const inbound = (bareId: string, text = 'Hello', chat = '5511888880000@c.us'): Record<string, unknown> => ({
  id: `false_${chat}_${bareId}`,
  timestamp: Math.floor(Date.now() / 1000),
  from: chat,
  fromMe: false,
  source: 'app',
  body: text,
  hasMedia: false,
  ack: 2,
});
