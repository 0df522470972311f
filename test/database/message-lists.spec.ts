import { MAX_LIMIT } from '../../src/common/paging';
import { type MessageFilter, PORTIONS } from '../../src/modules/messages/message-walk';
import type { ChatAliasesRepository } from '../../src/modules/messages/chats/chat-aliases.repository';
import { MessagesRepository } from '../../src/modules/messages/messages.repository';
import { fillHistory, type History } from '../bench/lists/fill';
import { freshDatabase, type TestDatabase } from '../support/database';
import { PlanReader } from './plans';

/** Enough that reading all of it is dearer than any index; a fifth of it is another tenant's. */
const MESSAGES = 20_000;
const LIMIT = 20;

let db: TestDatabase;
let reader: PlanReader;
let repository: MessagesRepository;
let history: History;

/** Nobody has another id here. */
const aliases = { idsOf: async (_tenant: string, chat: string) => [chat] } as unknown as ChatAliasesRepository;

beforeAll(async () => {
  db = await freshDatabase();
  const owner = await db.owner();
  history = await fillHistory(owner, MESSAGES);
  await owner.end();
  reader = await PlanReader.open(db);
  repository = new MessagesRepository(reader.door, aliases);
}, 120_000);

afterAll(async () => {
  await reader.close();
  await db.drop();
});

async function pageOf(filter: MessageFilter): Promise<{ rows: number; read: number }> {
  reader.look();
  const { rows } = await repository.list(history.tenantId, filter, { limit: LIMIT });
  return { rows: rows.length, read: reader.rowsOf('messages') };
}

describe('a page of messages', () => {
  it.each<[string, () => MessageFilter]>([
    ['of all', () => ({})],
    ['of a session and a direction', () => ({ sessionId: history.session, direction: 'outbound' })],
    ['of a session and a direction, few and old', () => ({ sessionId: history.listening, direction: 'outbound' })],
    ['of what a session received', () => ({ sessionId: history.listening, direction: 'inbound' })],
    ['of a session, few and old', () => ({ sessionId: history.rareSession })],
    ['of a chat, few and old', () => ({ chat: '447700900000@c.us' })],
    ['of a sender', () => ({ createdBy: history.tenantId })],
    ['of a campaign', () => ({ campaignId: history.campaign })],
    ['of a campaign, few and old', () => ({ campaignId: history.rareCampaign })],
    ['of what is queued, few and old', () => ({ status: 'queued' })],
    ['of what has failed, few and old', () => ({ status: 'failed' })],
    ['of what was received', () => ({ direction: 'inbound' })],
    ['of a type', () => ({ type: 'image' })],
    ['of a type, few and old', () => ({ type: 'poll' })],
  ])('%s reads that page and no more', async (_what, filter) => {
    const page = await pageOf(filter());
    expect(page.rows).toBe(LIMIT + 1);
    expect(page.read).toBe(LIMIT + 1);
  });

  it('of what has failed in a session, few and old, reads these alone', async () => {
    const page = await pageOf({ sessionId: history.session, status: 'failed' });
    expect(page.rows).toBeGreaterThan(2);
    expect(page.read).toBe(page.rows);
  });

  it('of a session reads that page, and of each direction the one that comes next', async () => {
    const page = await pageOf({ sessionId: history.session });
    expect(page.rows).toBe(LIMIT + 1);
    expect(page.read).toBeLessThanOrEqual(LIMIT + 2);
  });

  it('of more than a page that people may ask for has all of them', async () => {
    for (const filter of [{}, { sessionId: history.session }]) {
      const { rows } = await repository.list(history.tenantId, filter, { limit: 3 * MAX_LIMIT });
      expect(rows).toHaveLength(3 * MAX_LIMIT + 1);
    }
  });

  it('of a span reads that page, and at its end what the clocks may be apart', async () => {
    const page = await pageOf({ from: new Date(history.from), to: new Date(history.to) });
    expect(page.rows).toBe(LIMIT + 1);
    expect(page.read).toBeLessThanOrEqual(LIMIT + 1 + 5);
  });

  it.each<[string, () => MessageFilter]>([
    ['a common status', () => ({ status: 'read' })],
    ['what was sent', () => ({ direction: 'outbound' })],
    ['a common word', () => ({ q: 'order ready' })],
    ['a chat and a direction', () => ({ chat: '447700900123@c.us', direction: 'outbound' })],
  ])('of %s takes one portion', async (_what, filter) => {
    const page = await pageOf(filter());
    expect(page.rows).toBeGreaterThan(5);
    expect(page.read).toBeLessThanOrEqual(PORTIONS[0] + LIMIT + 1);
  });

  it('of a rare word in a chat reads that chat alone', async () => {
    const page = await pageOf({ q: 'needle', chat: '447700900123@c.us' });
    expect(page).toEqual({ rows: 0, read: expect.any(Number) as number });
    expect(page.read).toBeLessThanOrEqual(MESSAGES / 500);
  });
});
