import type { Client } from 'pg';
import { Config } from '../../src/config/config';
import { ChatAliases } from '../../src/modules/messages/chats/chat-aliases.service';
import { ChatAliasesRepository } from '../../src/modules/messages/chats/chat-aliases.repository';
import { MessageUpdates } from '../../src/modules/messages/message-updates.service';
import { EventApplier } from '../../src/modules/webhooks/event-applier.service';
import { type SessionWithEvents, WebhookEventsRepository } from '../../src/modules/webhooks/webhook-events.repository';
import type { WebhookMetrics } from '../../src/modules/webhooks/webhook.metrics';
import { workerDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

const NIL = '00000000-0000-0000-0000-000000000000';
const BEGINNING: SessionWithEvents = { tenant_id: NIL, session_id: NIL };
const SESSIONS = 25;
const BACKLOG = 3_000;

let owner: Client;
let doors: Doors;
let make: Factories;
let events: WebhookEventsRepository;

beforeAll(async () => {
  const db = await workerDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  make = new Factories(owner);
  events = new WebhookEventsRepository(doors.system);
});

afterEach(() => owner.query('delete from webhook_events'));

afterAll(async () => {
  await doors.close();
  await owner.end();
});

/** So many events that nobody acts on, of so many bytes. */
const post = (session: TestSession, count: number, bytes = 50) =>
  owner.query(
    `insert into webhook_events (tenant_id, session_id, event, event_id, body)
      select $1, $2, 'nobody.acts', n::text, json_build_object('event', 'nobody.acts', 'filler', repeat('x', $4::int))::text
      from generate_series(1, $3::int) n`,
    [session.tenantId, session.id, count, bytes],
  );

const keyOf = ({ tenantId, id }: TestSession): string => `${tenantId} ${id}`;

describe('the sessions that have events waiting', () => {
  it('are gone through a round at a time, each once, however long the backlog of one is', async () => {
    const sessions = [];
    for (let tenants = 0; tenants < 5; tenants += 1) {
      const tenant = await make.tenant();
      for (let i = 0; i < SESSIONS / 5; i += 1) sessions.push(await make.session(tenant));
    }
    const [first] = [...sessions].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    for (const session of sessions) await post(session, session === first ? BACKLOG : 2);
    const seen: string[] = [];
    let served = BEGINNING;
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const due = await events.sessionsDue(10, served);
      seen.push(...due.map(({ tenant_id, session_id }) => `${tenant_id} ${session_id}`));
      expect(due).toHaveLength([10, 10, 5, 0, 0][rounds] ?? -1);
      served = due.at(-1) ?? served;
    }
    expect(seen).toEqual(sessions.map(keyOf).sort());
  });
});

describe('a batch of events', () => {
  const applier = () => {
    const unused = {} as never; // nothing is acted on
    const metrics = { handled: () => undefined } as unknown as WebhookMetrics;
    const aliases = new ChatAliases(new ChatAliasesRepository(doors.tenant));
    const messages = new MessageUpdates(unused, unused, doors.tenant, aliases, new Config());
    return new EventApplier(doors.tenant, events, messages, unused, unused, metrics);
  };
  const left = async () =>
    (await owner.query<{ n: number }>(`select count(*)::int as n from webhook_events where status = 'pending'`)).rows[0]
      ?.n;

  it.each([
    ['of as many as one batch has', 100, 50, [true, 0, false, 0]],
    ['of more', 150, 50, [true, 50, false, 0]],
    ['of few', 20, 50, [false, 0, false, 0]],
    ['of large bodies: some megabytes at a time, and more at once', 10, 3_000_000, [true, 7, true, 4]],
    ['of one that is larger than a batch', 2, 9_000_000, [true, 1, true, 0]],
  ])('says whether there may be more behind it: %s', async (_what, count, bytes, expected) => {
    const session = await make.session(await make.tenant());
    const key = { tenant_id: session.tenantId, session_id: session.id };
    await post(session, count, bytes);
    const found = [];
    for (let i = 0; i < 2; i += 1) found.push(await applier().applyDue(key), await left());
    expect(found).toEqual(expected);
  });
});
