import { Client } from 'pg';
import { MAX_LIMIT } from '../../src/common/paging';
import { type MessageFilter, PORTIONS } from '../../src/modules/messages/message-walk';
import type { ChatAliasesRepository } from '../../src/modules/messages/chats/chat-aliases.repository';
import { MessagesRepository } from '../../src/modules/messages/messages.repository';
import type { TenantDatabase } from '../../src/platform/database/tenant-database';
import { fillHistory, type History } from '../bench/lists/fill';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type PlanNode, rowsRead } from './plans';

/** Enough that reading all of it is dearer than any index; a fifth of it is another tenant's. */
const MESSAGES = 20_000;
const LIMIT = 20;

let db: TestDatabase;
let app: Client;
let history: History;
/** Rows of `messages` that the plans of the statements since the last look had to read. */
let read = 0;

beforeAll(async () => {
  db = await freshDatabase();
  const owner = await db.owner();
  history = await fillHistory(owner, MESSAGES);
  await owner.end();
  app = new Client({ connectionString: db.roleUrl('app') });
  await app.connect();
}, 120_000);

afterAll(async () => {
  await app.end();
  await db.drop();
});

/** Runs each statement as the service's own role does, behind row security, and reads its plan. */
async function explained<R extends object>(tenantId: string, text: string, params: unknown[]): Promise<R[]> {
  await app.query('begin');
  try {
    await app.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    const plan = await app.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, timing off, format json) ${text}`,
      params,
    );
    read += rowsRead(plan.rows[0]?.['QUERY PLAN'][0].Plan as PlanNode, 'messages');
    return (await app.query<R>(text, params)).rows;
  } finally {
    await app.query('rollback');
  }
}

const database = { query: explained, queryOnce: explained } as unknown as TenantDatabase;
/** Nobody has another id here. */
const aliases = { idsOf: async (_tenant: string, chat: string) => [chat] } as unknown as ChatAliasesRepository;
const repository = new MessagesRepository(database, aliases);

async function pageOf(filter: MessageFilter): Promise<{ rows: number; read: number }> {
  read = 0;
  const { rows } = await repository.list(history.tenantId, filter, { limit: LIMIT });
  return { rows: rows.length, read };
}

describe('a page of messages', () => {
  it.each<[string, () => MessageFilter]>([
    ['of all', () => ({})],
    ['of a session', () => ({ sessionId: history.session })],
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
