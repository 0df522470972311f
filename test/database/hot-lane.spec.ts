import { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { SYSTEM_STATEMENTS } from '../../src/platform/database/system-statements';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';

const WAITING = 30_000;
/** Pages that a claim of one lane may look at: some twenty look-ups of a few pages each. */
const PAGES = 400;

let db: TestDatabase;
let owner: Client;
let system: Client;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  system = new Client({ connectionString: db.roleUrl('system') });
  await system.connect();
});

afterAll(async () => {
  await system.end();
  await owner.end();
  await db.drop();
});

/** A lane in which so many messages wait, each for a chat of its own. */
async function hotLane(columns: { firstContact?: boolean; campaign?: string } = {}): Promise<TestSession> {
  const make = new Factories(owner);
  const session = await make.session(await make.tenant(), { lane: 'open' });
  const { firstContact = false, campaign = null } = columns;
  if (campaign) await makeCampaign(session, campaign);
  await owner.query(
    `insert into messages (tenant_id, id, session_id, chat, direction, type, status, urgency, first_contact, campaign_id, created_by)
      select $1, gen_random_uuid(), $2, '55' || n || '@c.us', 'outbound', 'text', 'queued', $3, $4, $5, $1
      from generate_series(10000000, 10000000 + $6::int - 1) n`,
    [session.tenantId, session.id, campaign ? 2 : 1, firstContact, campaign, WAITING],
  );
  return session;
}

async function makeCampaign({ tenantId, id }: TestSession, campaign: string): Promise<void> {
  await owner.query(
    `insert into campaigns (tenant_id, id, status, type, content, metadata, created_by) values ($1, $2, 'running', 'text', '{}', '{}', $1)`,
    [tenantId, campaign],
  );
  await owner.query(
    `insert into campaign_sessions (tenant_id, session_id, campaign_id, running) values ($1, $2, $3, true)`,
    [tenantId, id, campaign],
  );
}

interface Plan {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
}

/** Pages that a claim of the lane looks at. */
const pagesOf = ({ tenantId, id }: TestSession): Promise<number> =>
  pagesReadBy(SYSTEM_STATEMENTS.claimHeads.text, [[tenantId], [id], newId(), 30_000, 10]);

/** Pages that the statement looks at; what it does is undone. */
async function pagesReadBy(text: string, params: unknown[]): Promise<number> {
  await system.query('begin');
  const explain = `explain (analyze, buffers, format json) ${text}`;
  const { rows } = await system.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(explain, params);
  await system.query('rollback');
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  return (plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN);
}

const claims = async ({ tenantId, id }: TestSession): Promise<number> => {
  await system.query('begin');
  const { rows } = await system.query(SYSTEM_STATEMENTS.claimHeads.text, [[tenantId], [id], newId(), 30_000, 10]);
  await system.query('rollback');
  return rows.length;
};

/** As the planner sees it at once, and once the tables were looked at. */
async function costsLittle(session: TestSession): Promise<void> {
  expect(await pagesOf(session)).toBeLessThan(PAGES);
  await owner.query('analyze messages, chats, campaign_sessions');
  expect(await pagesOf(session)).toBeLessThan(PAGES);
}

describe('a claim of a lane in which very many messages wait', () => {
  it('costs little where they are for chats that are known', async () => {
    const session = await hotLane();
    await costsLittle(session);
    expect(await claims(session)).toBe(1);
  });

  it('costs little where they are first contacts, within and beyond their cap, and beside one that is none', async () => {
    const session = await hotLane({ firstContact: true });
    await costsLittle(session);
    expect(await claims(session)).toBe(1);
    await owner.query('update lanes set first_contacts_per_day = 0 where session_id = $1', [session.id]);
    await costsLittle(session);
    expect(await claims(session)).toBe(0);
    await new Factories(owner).message(session, { chat: '5599999999@c.us' });
    await costsLittle(session);
    expect(await claims(session)).toBe(1);
  });

  it('costs little where they are of a campaign, that runs or is paused', async () => {
    const campaign = newId();
    const session = await hotLane({ campaign });
    await costsLittle(session);
    expect(await claims(session)).toBe(1);
    await owner.query('update campaign_sessions set running = false where campaign_id = $1', [campaign]);
    await costsLittle(session);
    expect(await claims(session)).toBe(0);
  });

  it('costs little once most of a campaign has left', async () => {
    const campaign = newId();
    const session = await hotLane({ campaign, firstContact: true });
    await owner.query(
      `update messages set status = 'sent' where campaign_id = $1 and seq < (select max(seq) - 5 from messages)`,
      [campaign],
    );
    await owner.query('vacuum messages');
    await costsLittle(session);
    expect(await claims(session)).toBe(1);
  });
});

describe('the due lanes among very many', () => {
  it('are found by one look at each, also before the tables were looked at', async () => {
    const make = new Factories(owner);
    const first = await make.session(await make.tenant(), { lane: 'open' });
    await owner.query(
      `with made as (
        insert into sessions (tenant_id, id, server_id, name, waha_name, webhook_secret)
        select tenant_id, gen_random_uuid(), server_id, 'due ' || n, 'due_' || n, 'none' from sessions, generate_series(1, 5000) n
        where id = $1 returning tenant_id, id, server_id)
      insert into lanes (tenant_id, session_id, server_id, state, per_minute, burst, jitter_ms, tokens, next_at)
      select tenant_id, id, server_id, 'open', 60, 1, 0, 1, now() from made`,
      [first.id],
    );
    const { text } = SYSTEM_STATEMENTS.lockDueLanes;
    expect(await pagesReadBy(text, [50, [], [], 100])).toBeLessThan(2_500);
    await owner.query('analyze lanes');
    expect(await pagesReadBy(text, [50, [], [], 100])).toBeLessThan(2_500);
  });
});
