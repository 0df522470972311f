import fc from 'fast-check';
import { sent } from '../../src/modules/messages/lanes/outcome';
import { freshDatabase, type TestDatabase } from '../support/database';
import { claim, drain, finish, settle, waiting, work } from './message-machine.acts';
import { STEPS } from './message-machine.commands';
import { type Held, Machine, type World } from './message-machine.harness';
import { holds, Known } from './message-machine.rules';

/**
 * MACHINE_RUNS=2000 looks further. What fails prints its seed and path (and `replayPath`, beside the steps): with these as
 * SEED, REPLAY and REPLAY_STEPS it does the same again.
 */
const { MACHINE_RUNS = '100', SEED, REPLAY, REPLAY_STEPS } = process.env;
const runs = Number(MACHINE_RUNS);

let db: TestDatabase;
let machine: Machine;

beforeAll(async () => {
  db = await freshDatabase();
  machine = await Machine.over(db);
});

afterAll(async () => {
  await machine.close();
  await db.drop();
});

const TERMS = fc.record({
  reserves: fc.boolean(),
  dailyCap: fc.constantFrom(5, 1_000),
  firsts: fc.constantFrom(1, 1_000),
});

describe('messages', () => {
  it('keep to the table in whatever order they are sent, acknowledged, changed, retried and lost', async () => {
    const steps = fc.commands(STEPS, { maxCommands: 60, size: 'max', replayPath: REPLAY_STEPS });
    const property = fc.asyncProperty(TERMS, steps, async (terms, sequence) => {
      const world = await machine.world(terms);
      const known = new Known();
      try {
        await known.look(world);
        await fc.asyncModelRun(() => ({ model: known, real: world }), sequence);
        await drain(world, known);
        holds(waiting(known).length === 0, 'nothing is left waiting', [known.lane, waiting(known)]);
      } finally {
        await world.end();
      }
    });
    await fc.assert(property, {
      numRuns: runs,
      seed: SEED === undefined ? Date.now() % 1_000_000 : Number(SEED),
      path: REPLAY,
      endOnFailure: REPLAY !== undefined,
    });
  }, 7_200_000);
});

/** What long searches found, as short as it goes. */
describe('a chat is written to in order', () => {
  const CHAT = '5511900000001@c.us';
  const OTHER = '5511900000002@c.us';

  /** What left, in its order, of a session that may write to one new chat a day. */
  async function leaving(steps: (world: World, known: Known) => Promise<void>): Promise<string[]> {
    const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
    const known = new Known();
    try {
      await known.look(world);
      await steps(world, known);
      await known.look(world);
      while ((await work(world, known, 0, 'sent')) > 0) await known.look(world);
      const { rows } = await machine.owner.query<{ body: string }>(
        `select m.body from message_events e join messages m on m.tenant_id = e.tenant_id and m.id = e.message_id
          where e.tenant_id = $1 and e.status = 'sent' order by e.id`,
        [world.tenantId],
      );
      return rows.map(({ body }) => body);
    } finally {
      await world.end();
    }
  }

  it('where it became known after a message for later was accepted', async () => {
    const left = await leaving(async (world, known) => {
      await world.accept(CHAT, 'first', {});
      await world.accept(CHAT, 'later', { scheduledInMs: 5_000 });
      await known.look(world);
      await work(world, known, 0, 'sent');
      await world.advance(10_000);
      await world.accept(CHAT, 'after', {});
      await world.tick();
    });
    expect(left).toEqual(['first', 'later', 'after']);
  });

  it('where it became known before a message that was overdue is retried', async () => {
    const left = await leaving(async (world, known) => {
      await world.accept(OTHER, 'other', {});
      await known.look(world);
      await work(world, known, 0, 'sent');
      await world.accept(CHAT, 'brief', { expiresInMs: 5_000 });
      await world.advance(10_000);
      await world.tick();
      await known.look(world);
      const brief = [...known.messages.values()].find(({ body }) => body === 'brief');
      expect(brief).toMatchObject({ status: 'expired', first_contact: true });
      await machine.owner.query(`insert into chats (tenant_id, session_id, chat) values ($1, $2, $3)`, [
        world.tenantId,
        world.session.id,
        CHAT,
      ]);
      await world.accept(CHAT, 'after', {});
      expect(await world.actions.retry(world.tenantId, brief?.id ?? '', ['expired'])).toBe(true);
    });
    expect(left).toEqual(['other', 'brief', 'after']);
  });

  it('while WhatsApp refuses it: what comes later waits with what waits already', async () => {
    const left = await leaving(async (world, known) => {
      await world.accept(CHAT, 'first', {});
      await world.accept(CHAT, 'second', {});
      await known.look(world);
      await claim(world, known, 0);
      await finish(world, known, world.held[0] as Held, 'locked');
      await world.accept(CHAT, 'third', {});
      await world.accept(CHAT, 'fourth', { scheduledInMs: 1 });
      await world.advance(10);
      await world.tick();
      await known.look(world);
      expect(await work(world, known, 0, 'sent')).toBe(0);
      await world.advance(25 * 3_600_000);
    });
    expect(left).toEqual(['first', 'second', 'third', 'fourth']);
  });
});

it('a cancelled message waits for nothing, and its history says how often it was tried', async () => {
  const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
  const known = new Known();
  await world.accept('5511900000001@c.us', 'tried', {});
  await known.look(world);
  await work(world, known, 0, 'busy');
  await world.sessions.markDeleted(world.tenantId, world.session.id, async () => undefined);
  await known.look(world);
  const { rows } = await machine.owner.query(
    `select status, attempt, note from message_events where tenant_id = $1 order by id desc limit 1`,
    [world.tenantId],
  );
  expect(rows).toEqual([{ status: 'cancelled', attempt: 1, note: 'session deleted' }]);
  await world.end();
});

it.each(['sent', 'delivered', 'read', 'played'] as const)(
  'what settlement finds %s is that, with its times',
  async (found) => {
    const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
    const known = new Known();
    await world.accept('5511900000001@c.us', 'lost', {});
    await known.look(world);
    await work(world, known, 0, 'lost');
    await world.advance(31_000);
    await world.take(0);
    for (const asked of world.asked.splice(0)) await settle(known, asked, found);
    await known.look(world);
    const [message] = known.messages.values();
    const [attemptedAt, now] = [new Date(world.now - 31_000), new Date(world.now)];
    expect(message).toMatchObject({
      ...{ status: found, error_code: null, ack_due_at: null, settle_at: null, sent_at: attemptedAt },
      delivered_at: found === 'sent' ? null : now,
      read_at: found === 'read' || found === 'played' ? now : null,
    });
    await world.end();
  },
);

it('what WAHA does not know is tried again after a pause that grows, and its chat waits for it', async () => {
  const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
  const known = new Known();
  const texts = ['first', 'second'];
  for (const text of texts) await world.accept('5511900000001@c.us', text, {});
  await known.look(world);
  for (const pauseMs of [750, 1_500, 3_000]) {
    expect(await work(world, known, 0, 'error')).toBe(1);
    await world.advance(5_000);
    await world.take(0);
    for (const asked of world.asked.splice(0)) await settle(known, asked, 'nothing');
    await world.advance(pauseMs - 50);
    await known.look(world);
    expect(await work(world, known, 0, 'sent')).toBe(0);
    await world.advance(100);
  }
  for (const text of texts) {
    await work(world, known, 0, 'sent');
    await known.look(world);
    const sentNow = [...known.messages.values()].filter(({ status }) => status === 'sent');
    expect(sentNow.at(-1)?.body).toBe(text);
  }
  await world.end();
});

it('no ack is awaited of what WhatsApp refused before WAHA answered', async () => {
  const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
  const known = new Known();
  await world.accept('5511900000001@c.us', 'refused', {});
  await known.look(world);
  const [job] = await world.claim(0);
  const held = world.held[0] as Held;
  await world.record(held);
  const refusal = { waId: held.waId, chat: held.job.chat, status: 'failed' as const, at: new Date(world.now) };
  await world.apply((tx) => world.updates.applyAck(tx, world.key, refusal, true));
  await finish(world, known, held, 'sent');
  const { rows } = await machine.owner.query(`select status, error_code, ack_due_at from messages where id = $1`, [
    job?.id,
  ]);
  expect(rows).toEqual([{ status: 'failed', error_code: 'ACK_ERROR', ack_due_at: null }]);
  await world.end();
});

it.each(['its echo', 'the sweep', 'the same answer'])(
  'an attempt counts once, though %s came before the answer',
  async (what) => {
    const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
    const known = new Known();
    await world.accept('5511900000001@c.us', 'once', {});
    await known.look(world);
    const [job] = await world.claim(0);
    const held = world.held[0] as Held;
    await world.record(held);
    if (what === 'its echo') {
      const ack = { waId: held.waId, chat: held.job.chat, status: 'delivered' as const, at: new Date(world.now) };
      await world.apply((tx) => world.updates.applyAck(tx, world.key, ack, true));
    } else if (what === 'the sweep') {
      await world.kill(0);
      await (await world.worker(1)).store.sweep();
    } else await held.worker.store.finish(held.job, held.attempt, sent(held.waId));
    await finish(world, known, held, 'sent');
    const { rows } = await machine.owner.query(`select attempts, burned from messages where id = $1`, [job?.id]);
    expect(rows).toEqual([{ attempts: 1, burned: 1 }]);
    await world.end();
  },
);

it.each([['busy'], ['lost']] as const)(
  'an attempt that is %s while its session is deleted is cancelled instead of queued again',
  async (how) => {
    const world = await machine.world({ reserves: true, dailyCap: 1_000, firsts: 1 });
    const known = new Known();
    const remove = () => world.sessions.markDeleted(world.tenantId, world.session.id, async () => undefined);
    await world.accept('5511900000001@c.us', 'open', {});
    await known.look(world);
    await world.claim(0);
    const held = world.held[0] as Held;
    await world.record(held);
    if (how === 'busy') await remove();
    await finish(world, known, held, how);
    await world.advance(31_000);
    await world.take(0);
    if (how === 'lost') await remove();
    for (const asked of world.asked.splice(0)) await settle(known, asked, 'nothing');
    const { rows } = await machine.owner.query(`select status, settle_at from messages where id = $1`, [held.job.id]);
    expect(rows).toEqual([{ status: 'cancelled', settle_at: null }]);
    await world.end();
  },
);
