import fc from 'fast-check';
import { newId } from '../../src/common/ids';
import { MAX_ATTEMPTS, type Outcome, outcomeOf, sent } from '../../src/modules/messages/lanes/outcome';
import { type MessageStatus, RETRIED, RETRIED_BY_FORCE } from '../../src/modules/messages/message-status';
import { WahaFailure } from '../../src/modules/waha/waha.errors';
import type { WahaMessage } from '../../src/modules/waha/waha.events';
import type { Asked, Held, World } from './message-machine.harness';
import type { Known, Seen } from './message-machine.rules';

type Ack = 'failed' | 'sent' | 'delivered' | 'read' | 'played';

/** One step of a sequence: does something, and looks at what came of it. */
export class Step implements fc.AsyncCommand<Known, World> {
  constructor(
    private readonly name: string,
    private readonly terms: unknown[],
    private readonly act: (world: World, known: Known) => Promise<void>,
    private readonly may: (known: Known) => boolean = () => true,
  ) {}

  check(known: Readonly<Known>): boolean {
    return this.may(known as Known);
  }

  async run(known: Known, world: World): Promise<void> {
    await this.act(world, known);
    await known.look(world);
  }

  toString(): string {
    return `${this.name}(${this.terms.map((term) => JSON.stringify(term)).join(', ')})`;
  }
}

const CHATS = ['5511900000001@c.us', '5511900000002@c.us', '5511900000003@c.us'];
const BODIES = ['one', 'two'];
const ACKS: Ack[] = ['failed', 'sent', 'delivered', 'read', 'played'];

const FAILURES = {
  away: new WahaFailure('unreachable', 0, 'ECONNREFUSED'),
  asleep: new WahaFailure('answered', 422, 'Session status is not as expected'),
  denied: new WahaFailure('answered', 403, 'Forbidden'),
  busy: new WahaFailure('answered', 429, 'Too many'),
  refused: new WahaFailure('answered', 400, 'Bad'),
  error: new WahaFailure('answered', 500, 'Oops'),
  lost: new WahaFailure('lost', 0, 'timeout'),
  locked: new WahaFailure('answered', 500, 'server returned error 463'),
};
type End = 'sent' | keyof typeof FAILURES;
const ENDS: End[] = ['sent', 'away', 'asleep', 'denied', 'busy', 'refused', 'error', 'lost', 'locked'];

const NOTHING_DONE: Outcome = { ...sent(null), status: 'queued', delayMs: 1_000, lane: 'wait' };

const at = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
const chat = fc.constantFrom(...CHATS);
const nth = fc.nat({ max: 30 });
const place = fc.nat({ max: 1 });
const end = fc.oneof({ weight: 3, arbitrary: fc.constant<End>('sent') }, fc.constantFrom<End>(...ENDS));
const someHeld = (known: Known): boolean => known.held > 0;
const someNamed = (known: Known): boolean => known.waIds.size > 0;
const some = (known: Known): boolean => known.messages.size > 0;

/** What it is given is held to the rules. */
export async function claim(world: World, known: Known, at: number): Promise<void> {
  const jobs = await world.claim(at);
  for (const job of jobs) known.claimed(job, world.now);
  known.counted(jobs.length, world.now);
}

/** Its outcome is written; who is frozen writes it late. */
export async function finish(world: World, known: Known, held: Held, how: End): Promise<void> {
  if (!held.asked) await world.record(held);
  const { job, attempt, waId } = held;
  const state = { burned: job.burned, strikes: job.strikes, reserved: world.terms.reserves, random: () => 0.5 };
  const outcome = attempt === null ? NOTHING_DONE : how === 'sent' ? sent(waId) : outcomeOf(FAILURES[how], state);
  const { rows } = await world.machine.owner.query<{ held: boolean }>(
    `select owner = $2 and epoch = $3 as held from lanes where session_id = $1`,
    [world.session.id, held.worker.id, job.epoch],
  );
  await held.worker.store.finish(job, attempt, outcome);
  if (rows[0]?.held && outcome.lane !== 'go' && outcome.status === 'queued') known.givenBack();
  world.held.splice(world.held.indexOf(held), 1);
}

/** As Settlement decides, of what WAHA may say. */
export async function settle(known: Known, { worker, attempt }: Asked, found: Ack | 'nothing'): Promise<void> {
  const waId = attempt.wa_id ?? `3EB0${newId()}`;
  if (found === 'nothing') {
    const note = 'WAHA does not know the message';
    if (!attempt.wa_id_reserved) return worker.store.settle(attempt, { status: 'unknown', note });
    if (attempt.burned < MAX_ATTEMPTS) return worker.store.settle(attempt, { status: 'queued', note });
    return worker.store.settle(attempt, { status: 'failed', code: 'ATTEMPTS_EXHAUSTED', note });
  }
  known.name(waId, attempt);
  if (found === 'failed') return worker.store.settle(attempt, { status: 'failed', waId, code: 'ACK_ERROR', note: '' });
  await worker.store.settle(attempt, { status: found, waId, note: '', acked: true });
}

const ofWhatsApp = (world: World, waId: string, of: { chat: string; body: string | null }): WahaMessage => ({
  ...{ fromMe: true, chat: of.chat, waId, participant: null, author: null, at: new Date(world.now) },
  ...{ source: 'api', type: 'text', body: of.body, media: null, status: null },
});

async function echo(world: World, known: Known, n: number, status: Ack | null): Promise<void> {
  const [waId, of] = at([...known.waIds], n);
  const applied = await world.apply((tx) =>
    world.updates.applyMessage(tx, world.key, { ...ofWhatsApp(world, waId, of), status }, true),
  );
  if (applied.result === 'applied' && status) await reported(world, known, waId, status);
}

async function ack(world: World, known: Known, n: number, status: Ack): Promise<void> {
  const [waId] = at([...known.waIds], n);
  await world.apply((tx) => world.updates.applyAck(tx, world.key, { waId, status, at: new Date(world.now) }, true));
  await reported(world, known, waId, status);
}

async function reported(world: World, known: Known, waId: string, status: MessageStatus): Promise<void> {
  await known.look(world);
  known.reported(waId, status);
}

async function change(
  world: World,
  [waId, of]: [string, { chat: string }],
  what: 'edit' | 'revoke',
  patient: boolean,
): Promise<void> {
  const changed = { waId, chat: of.chat, fromMe: true, author: null, at: new Date(world.now) };
  await world.apply((tx) =>
    what === 'edit'
      ? world.changes.applyEdit(tx, world.key, { ...changed, body: 'edited' }, patient)
      : world.changes.applyRevocation(tx, world.key, changed, patient),
  );
}

async function hear(world: World, from: string): Promise<void> {
  const message = { ...ofWhatsApp(world, `IN${newId()}`, { chat: from, body: 'hello' }), fromMe: false };
  await world.apply((tx) => world.updates.applyMessage(tx, world.key, message, true));
}

/** One message from claim to outcome: the way that most go. */
export async function work(world: World, known: Known, at: number, how: End): Promise<number> {
  const before = world.held.length;
  await claim(world, known, at);
  await known.look(world);
  const claimed = world.held.slice(before);
  for (const held of claimed) await finish(world, known, held, how);
  return claimed.length;
}

const messageOf = (known: Known, n: number): Seen => at([...known.messages.values()], n);

const TIMES = [
  {},
  {},
  {},
  { scheduledInMs: 20_000 },
  { expiresInMs: 40_000 },
  { scheduledInMs: 5_000, expiresInMs: 600_000 },
];
const SPANS = [700, 5_000, 31_000, 660_000, 86_400_000];

const people = [
  fc
    .tuple(chat, fc.constantFrom(...BODIES), fc.constantFrom(...TIMES))
    .map(([to, body, times]) => new Step('accept', [to, body, times], (world) => world.accept(to, body, times))),
  chat.map((from) => new Step('hear', [from], (world) => hear(world, from))),
  nth.map(
    (n) => new Step('cancel', [n], async (w, k) => void (await w.actions.cancel(w.tenantId, messageOf(k, n).id)), some),
  ),
  fc.tuple(nth, fc.boolean()).map(([n, force]) => {
    const from = force ? [...RETRIED, ...RETRIED_BY_FORCE] : RETRIED;
    const act = async (w: World, k: Known) => void (await w.actions.retry(w.tenantId, messageOf(k, n).id, from));
    return new Step('retry', [n, force], act, some);
  }),
  fc.tuple(fc.uniqueArray(chat, { minLength: 1 }), fc.constantFrom(null, 20)).map(
    ([chats, perMinute]) =>
      new Step(
        'campaign',
        [chats, perMinute],
        (world) => world.startCampaign(chats, perMinute),
        (k) => k.campaigns < 2,
      ),
  ),
  fc.tuple(nth, fc.constantFrom('paused', 'running', 'cancelled')).map(([n, to]) => {
    const from = { paused: ['running'], running: ['paused'], cancelled: ['running', 'paused'] } as const;
    const act = async (w: World) => void (await w.campaignsOf.move(w.actor, at(w.campaigns, n), to, from[to]));
    return new Step('campaign becomes', [n, to], act, (known) => known.campaigns > 0);
  }),
];

const workers = [
  place.map((at) => new Step('claim', [at], (world, known) => claim(world, known, at))),
  nth.map(
    (n) =>
      new Step(
        'record',
        [n],
        (world) => {
          const waiting = world.held.filter(({ asked }) => !asked);
          return waiting.length === 0 ? Promise.resolve() : world.record(at(waiting, n));
        },
        someHeld,
      ),
  ),
  fc
    .tuple(nth, end)
    .map(([n, how]) => new Step('finish', [n, how], (w, known) => finish(w, known, at(w.held, n), how), someHeld)),
  nth.map(
    (n) => new Step('abandon', [n], (world) => at(world.held, n).worker.store.abandon(at(world.held, n).job), someHeld),
  ),
  place.map((at) => new Step('kill', [at], (world) => world.kill(at))),
  place.map((at) => new Step('sweep', [at], async (world) => void (await (await world.worker(at)).store.sweep()))),
  place.map((at) => new Step('ask', [at], (world) => world.take(at))),
  fc.tuple(nth, fc.constantFrom<Ack | 'nothing'>('nothing', 'nothing', ...ACKS)).map(
    ([n, found]) =>
      new Step(
        'settle',
        [n, found],
        (w, known) => settle(known, at(w.asked.splice(n % w.asked.length, 1), 0), found),
        (k) => k.asked > 0,
      ),
  ),
];

const worked = fc
  .tuple(place, end)
  .map(([at, how]) => new Step('work', [at, how], async (w, known) => void (await work(w, known, at, how))));

const whatsApp = [
  fc
    .tuple(nth, fc.constantFrom<Ack | null>(null, ...ACKS))
    .map(([n, status]) => new Step('echo', [n, status], (world, known) => echo(world, known, n, status), someNamed)),
  fc
    .tuple(nth, fc.constantFrom(...ACKS))
    .map(([n, status]) => new Step('ack', [n, status], (world, known) => ack(world, known, n, status), someNamed)),
  fc
    .tuple(nth, fc.constantFrom('edit' as const, 'revoke' as const), fc.boolean())
    .map(
      ([n, what, patient]) =>
        new Step(
          what,
          [n, patient],
          (world, known) => change(world, at([...known.waIds], n), what, patient),
          someNamed,
        ),
    ),
  fc
    .constantFrom('WORKING', 'WORKING', 'STOPPED')
    .map((status) => new Step('session', [status], (w) => w.state(status))),
];

const clocks = [
  fc.constant(new Step('tick', [], (world) => world.tick())),
  fc.constantFrom(...SPANS).map((ms) => new Step('advance', [ms], (world) => world.advance(ms))),
];

const deletion = fc.constant(
  new Step('delete session', [], (w) => w.sessions.markDeleted(w.tenantId, w.session.id, async () => undefined)),
);

/** Each kind of step as often as it is worth: most sequences shall get somewhere. */
export const STEPS: fc.Arbitrary<Step>[] = [
  ...[people[0], people[0], people[0], worked, worked, worked].filter((each) => each !== undefined),
  ...people,
  ...workers,
  ...whatsApp,
  ...clocks,
  ...clocks,
  fc.oneof({ weight: 20, arbitrary: worked }, { weight: 1, arbitrary: deletion }),
];

/**
 * Everybody dies, time passes, WAHA and WhatsApp work: then nothing is left waiting, and without anybody being woken by the
 * search for what was forgotten.
 */
export async function drain(world: World, known: Known): Promise<void> {
  for (const id of world.campaigns) await world.campaignsOf.move(world.actor, id, 'running', ['paused']);
  for (let round = 0; round < 60 && hasWaiting(known); round += 1) {
    if (round % 3 === 2) await world.advance(86_400_000);
    await world.advance(31_000);
    await (await world.worker(0)).store.sweep();
    if (known.lane?.state === 'parked') await world.state('WORKING');
    await world.tick();
    await world.take(0);
    for (const asked of world.asked.splice(0)) await settle(known, asked, 'sent');
    await known.look(world);
    while ((await work(world, known, 0, 'sent')) > 0) await known.look(world);
    await known.look(world);
  }
}

const WAITING: MessageStatus[] = ['scheduled', 'queued', 'sending'];
export const waiting = (known: Known): Seen[] =>
  [...known.messages.values()].filter(
    ({ status, settle_at: due }) => WAITING.includes(status) || (status === 'unknown' && due !== null),
  );
const hasWaiting = (known: Known): boolean => waiting(known).length > 0;
