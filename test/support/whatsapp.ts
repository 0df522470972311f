import type { MessageEventResponse, MessageResponse } from '../../src/modules/messages/dto/message.response';
import type { SessionResponse } from '../../src/modules/waha/dto/session.response';
import type { HttpClient } from './http-client';
import type { TestApp } from './running-app';
import { eventually } from './wait';

/** JSON has times as text. */
export type Wire<T> = {
  [K in keyof T]: T[K] extends Date
    ? string
    : T[K] extends Date | null
      ? string | null
      : T[K] extends Date | undefined
        ? string | undefined
        : T[K];
};

export type WireSession = Wire<SessionResponse>;
export type WireMessage = Wire<MessageResponse>;
export type WireEvent = Wire<MessageEventResponse>;

/** Sends as fast as it can: no test is about the pace unless it says so. */
export const NO_PACE = {
  per_minute: 60_000,
  burst: 1000,
  jitter_ms: 0,
  daily_cap: 1_000_000,
  first_contacts_per_day: 1_000_000,
};

/** What the simulator says of a send that reached WhatsApp. */
export interface Send {
  seq: number;
  chatId: string;
  id: string;
  text: string;
  type: string;
  /** The file as it reached WhatsApp. */
  media?: { mimetype: string; filename: string | null; size: number; sha256: string };
  /** Bare id of the message that it quotes. */
  targetId?: string;
  duplicateOf?: number;
}

/** Creates a session over the API. */
export async function createSession(
  http: HttpClient,
  name = 'Main shop',
  pace: object = NO_PACE,
): Promise<WireSession> {
  const answer = await http.post<WireSession>('/waha/sessions', { name, pace });
  if (answer.status !== 201) throw new Error(`Creating a session gave ${answer.outcome}`);
  return answer.body;
}

/** Waits until the API shows the session in that status. */
export function reaches(http: HttpClient, id: string, status: string): Promise<WireSession> {
  return eventually(
    async () => {
      const { body } = await http.get<WireSession>(`/waha/sessions/${id}`);
      if (body.status !== status) throw new Error(`it is ${body.status}`);
      return body;
    },
    { what: `session ${status}` },
  );
}

/**
 * Scans the session's code with the simulated phone and waits until it works. What our API shows may be of the code before
 * a restart or logout that the phone has seen already: it tries until there is a code to scan.
 */
export async function scan(
  { simulator }: Pick<TestApp, 'simulator'>,
  http: HttpClient,
  session: WireSession,
): Promise<WireSession> {
  await reaches(http, session.id, 'SCAN_QR_CODE');
  await eventually(
    async () => {
      const answer = await simulator.post(`/simulator/sessions/${session.waha_name}/scan`, {});
      if (answer.status >= 300) throw new Error(answer.text);
    },
    { what: 'a code to scan' },
  );
  return reaches(http, session.id, 'WORKING');
}

/** A session that can send. */
export async function workingSession(
  app: Pick<TestApp, 'simulator'>,
  http: HttpClient,
  name?: string,
): Promise<WireSession> {
  return scan(app, http, await createSession(http, name));
}

/** Takes a message into the queue; fails unless that is answered with 202. */
export async function send(http: HttpClient, body: object, headers?: Record<string, string>): Promise<WireMessage> {
  const answer = await http.post<WireMessage>('/messages/send', body, { headers });
  if (answer.status !== 202) throw new Error(`Sending gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

/** Waits until the message has one of the statuses. */
export function becomes(http: HttpClient, id: string, ...statuses: string[]): Promise<WireMessage> {
  return eventually(
    async () => {
      const { body } = await http.get<WireMessage>(`/messages/${id}`);
      if (!statuses.includes(body.status)) throw new Error(`it is ${body.status} (${body.error_code})`);
      return body;
    },
    { what: `message ${statuses.join(' or ')}` },
  );
}

/** The statuses of the message's history, oldest first. */
export async function historyOf(http: HttpClient, id: string): Promise<string[]> {
  const { body } = await http.get<WireEvent[]>(`/messages/${id}/events`);
  return body.map(({ status }) => status);
}

/** What reached WhatsApp through that session, in order. */
export async function sendsOf({ simulator }: Pick<TestApp, 'simulator'>, session: WireSession): Promise<Send[]> {
  return (await simulator.get<Send[]>(`/simulator/sends?session=${session.waha_name}`)).body;
}
