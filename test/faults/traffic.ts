import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient } from '../support/http-client';
import { allPages } from '../support/pages';
import { eventually } from '../support/wait';
import type { Send, WireMessage } from '../support/whatsapp';
import type { World } from './world';

/** A message that is to be sent. */
export interface Letter {
  session_id: string;
  to: string;
  text: string;
}

/** What was asked of the service so far. */
export interface Posting {
  accepted: number;
  /** Posts that wait for their answer at the moment. */
  underWay: number;
  /** Posts that got no answer, because nobody listened or the process died. */
  broken: number;
  /** Answers that said: not now. */
  putOff: number;
}

/** Before the first post. */
export const noPosting = (): Posting => ({ accepted: 0, underWay: 0, broken: 0, putOff: 0 });

const PATIENCE_MS = 60_000;
const AGAIN_MS = 100;

/** The chats' messages, numbered in each chat; each chat belongs to one of the sessions. */
export function lettersOf({ sessions }: World, chats: number, perChat: number): Letter[][] {
  return Array.from({ length: chats }, (_, chat) => {
    const { id = '' } = sessions[chat % sessions.length] ?? {};
    const to = `55119${String(chat).padStart(8, '0')}@c.us`;
    return Array.from({ length: perChat }, (__, number) => ({ session_id: id, to, text: `${to} ${number}` }));
  });
}

/** Posts a message as a careful client does. */
export const postUntilAccepted = (http: HttpClient, letter: Letter, posting: Posting): Promise<WireMessage> =>
  untilAccepted<WireMessage>(http, { path: '/messages/send', body: letter }, posting);

/** Posts under one key, again and again until that is accepted; answers what it was accepted as. */
export async function untilAccepted<T>(
  http: HttpClient,
  { path, body }: { path: string; body: object },
  posting: Posting,
): Promise<T> {
  const headers = { 'idempotency-key': randomUUID() };
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    posting.underWay += 1;
    const answer = await http.post<T>(path, body, { headers }).catch(() => null);
    posting.underWay -= 1;
    if (answer?.status === 202) {
      posting.accepted += 1;
      return answer.body;
    }
    if (answer === null) posting.broken += 1;
    else if (
      ['503', '409 IDEMPOTENCY_IN_PROGRESS', '409 CONFLICT'].some((outcome) => answer.outcome.startsWith(outcome))
    )
      posting.putOff += 1;
    else throw new Error(`Sending gave ${answer.outcome}: ${answer.text}`);
    if (performance.now() > deadline) throw new Error(`Not accepted in ${PATIENCE_MS} ms: ${answer?.outcome}`);
    await sleep(AGAIN_MS);
  }
}

/** Posts the chats side by side, each in its order, with a pause of `pauseMs` on average between two of a chat. */
export async function postAll(http: HttpClient, chats: Letter[][], pauseMs: number, posting: Posting): Promise<void> {
  await Promise.all(
    chats.map(async (letters) => {
      for (const letter of letters) {
        await sleep(Math.random() * 2 * pauseMs);
        await postUntilAccepted(http, letter, posting);
      }
    }),
  );
}

/** Every message of the tenant in that direction. */
export const allMessages = (http: HttpClient, direction = 'outbound'): Promise<WireMessage[]> =>
  allPages(http, `/messages?direction=${direction}&limit=100`);

/** Waits until no message is on its way any more: none queued, being sent, or to be asked about. */
export async function settled(world: World, timeoutMs: number): Promise<void> {
  const owner = await world.owner();
  const open = async () => {
    const { rows } = await owner.query<{ status: string; count: number }>(
      `select status, count(*)::int count from messages
        where status in ('queued', 'sending') or (status = 'unknown' and settle_at is not null) group by status`,
    );
    if (rows.length > 0) throw new Error(rows.map(({ status, count }) => `${count} ${status}`).join(', '));
  };
  await eventually(open, { timeoutMs, everyMs: 200, what: 'all messages to be final' });
}

/** How the record of WhatsApp differs from what was to be sent; three empty lists where it does not. */
export function compare(sends: Send[], wanted: string[][]): Record<'lost' | 'doubled' | 'disordered', string[]> {
  const seen = new Map<string, number>();
  const doubled: string[] = [];
  for (const { text, seq, duplicateOf } of sends) {
    if (seen.has(text) || duplicateOf !== undefined) doubled.push(text);
    else seen.set(text, seq);
  }
  const disordered = wanted.flatMap((texts) => {
    const came = texts.filter((text) => seen.has(text));
    return came.filter((text, i) => i > 0 && (seen.get(text) ?? 0) < (seen.get(came[i - 1] ?? '') ?? 0));
  });
  return { lost: wanted.flat().filter((text) => !seen.has(text)), doubled, disordered };
}

/** What `compare` finds where all is well. */
export const FAULTLESS = { lost: [], doubled: [], disordered: [] };
