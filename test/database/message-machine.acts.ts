import { newId } from '../../src/common/ids';
import { MAX_ATTEMPTS, type Outcome, outcomeOf, retryMs, sent } from '../../src/modules/messages/lanes/outcome';
import type { MessageStatus } from '../../src/modules/messages/message-status';
import { WahaFailure } from '../../src/modules/waha/waha.errors';
import type { WahaMessage } from '../../src/modules/waha/waha.events';
import type { Asked, Held, World } from './message-machine.harness';
import type { Known, Seen } from './message-machine.rules';

export type Ack = 'failed' | 'sent' | 'delivered' | 'read' | 'played';
export const ACKS: Ack[] = ['failed', 'sent', 'delivered', 'read', 'played'];
/** What must hold once the rows were looked at. */
export type After = (() => void) | void;

export const nthOf = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

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
export type End = 'sent' | keyof typeof FAILURES;
export const ENDS: End[] = ['sent', 'away', 'asleep', 'denied', 'busy', 'refused', 'error', 'lost', 'locked'];

const NOTHING_DONE: Outcome = { ...sent(null), status: 'queued', delayMs: 1_000, lane: 'wait' };

/** What it is given is held to the rules. */
export async function claim(world: World, known: Known, at: number): Promise<void> {
  const jobs = await world.claim(at);
  for (const job of jobs) known.claimed(job, world.now);
  known.counted(jobs.length, world.now);
}

/** Its outcome is written; who is frozen writes it late. Answers whether the lane was still its own. */
export async function finish(world: World, known: Known, held: Held, how: End): Promise<boolean> {
  world.held.splice(world.held.indexOf(held), 1);
  if (!held.asked) await world.record(held);
  const { job, attempt, waId } = held;
  const state = { burned: job.burned, strikes: job.strikes, reserved: world.terms.reserves, random: () => 0.5 };
  const outcome = attempt === null ? NOTHING_DONE : how === 'sent' ? sent(waId) : outcomeOf(FAILURES[how], state);
  const { rows } = await world.machine.owner.query<{ held: boolean }>(
    `select owner = $2 and epoch = $3 as held from lanes where session_id = $1`,
    [world.session.id, held.worker.id, job.epoch],
  );
  await held.worker.store.finish(job, attempt, outcome);
  const own = rows[0]?.held === true;
  if (own && outcome.status === 'queued') known.givenBack();
  return own;
}

/** As Settlement decides, of what WAHA may say. */
export async function settle(known: Known, { worker, attempt }: Asked, found: Ack | 'nothing'): Promise<void> {
  const waId = attempt.wa_id ?? `3EB0${newId()}`;
  if (found === 'nothing') {
    const note = 'WAHA does not know the message';
    if (!attempt.wa_id_reserved) return worker.store.settle(attempt, { status: 'unknown', note });
    const delayMs = retryMs(attempt.burned - 1, () => 0.5);
    if (attempt.burned < MAX_ATTEMPTS) return worker.store.settle(attempt, { status: 'queued', note, delayMs });
    return worker.store.settle(attempt, { status: 'failed', code: 'ATTEMPTS_EXHAUSTED', note });
  }
  known.name(waId, attempt);
  if (found === 'failed') return worker.store.settle(attempt, { status: 'failed', waId, code: 'ACK_ERROR', note: '' });
  await worker.store.settle(attempt, { status: found, waId, note: '', acked: true });
}

const ofWhatsApp = (world: World, waId: string, of: { chat: string; body: string | null }): WahaMessage => ({
  ...{ fromMe: true, chat: of.chat, waId, participant: null, author: null, otherId: null, at: new Date(world.now) },
  ...{ source: 'api', type: 'text', body: of.body, media: null, status: null },
});

export async function echo(world: World, known: Known, n: number, status: Ack | null): Promise<After> {
  const [waId, of] = nthOf([...known.waIds], n);
  const applied = await world.apply((tx) =>
    world.updates.applyMessage(tx, world.key, { ...ofWhatsApp(world, waId, of), status }, true),
  );
  if (applied.result === 'applied' && status) return () => known.reported(waId, status);
}

export async function ack(world: World, known: Known, n: number, status: Ack): Promise<After> {
  const [waId, { chat }] = nthOf([...known.waIds], n);
  const word = { waId, chat, status, at: new Date(world.now) };
  const applied = await world.apply((tx) => world.updates.applyAck(tx, world.key, word, true));
  if (applied.result === 'applied') return () => known.reported(waId, status);
}

export async function change(
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

export async function hear(world: World, from: string): Promise<void> {
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
    if (known.lane?.state === 'parked') await world.acceptAndWork();
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
