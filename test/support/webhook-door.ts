import type { TestSession } from './factories';
import type { HttpClient } from './http-client';
import type { TestApp } from './running-app';
import { eventually } from './wait';
import { signed } from './webhooks';
import type { WireMessage } from './whatsapp';

/** A stored event, as far as tests look at it. */
export interface EventRow {
  event: string;
  event_id: string;
  status: string;
  note: string | null;
}

/** The session's stored events ($1: its id) in the order in which they came. */
export const EVENTS = 'select event, event_id, status, note from webhook_events where session_id = $1 order by seq';

/** Posts an event as WAHA does, signed with the session's secret. */
export const post = (app: TestApp, session: TestSession, body: string) =>
  app.anybody.post<{ stored: boolean }>('/webhooks/waha', body, signed(session.secret, body));

/** The session's stored events in the order in which they came, once nothing waits any more. */
export async function settled(app: TestApp, session: TestSession): Promise<EventRow[]> {
  const rows = async () => (await app.owner.query<EventRow>(EVENTS, [session.id])).rows;
  await eventually(async () => (await rows()).every(({ status }) => status !== 'pending'), { what: 'all events done' });
  return rows();
}

/** The session's messages over the API, newest first. */
export const messagesOf = async (http: HttpClient, session: TestSession): Promise<WireMessage[]> =>
  (await http.get<WireMessage[]>(`/messages?session_id=${session.id}&limit=100`)).body;
