import fc from 'fast-check';
import { RETRIED, RETRIED_BY_FORCE } from '../../src/modules/messages/message-status';
import { isRollback } from '../../src/platform/database/database-error';
import {
  type Ack,
  ACKS,
  ack,
  type After,
  change,
  claim,
  echo,
  type End,
  ENDS,
  finish,
  hear,
  nthOf,
  settle,
  work,
} from './message-machine.acts';
import type { Held, World } from './message-machine.harness';
import { holds, type Known, type Seen } from './message-machine.rules';

/** One step of a sequence: does something, and looks at what came of it. */
export class Step implements fc.AsyncCommand<Known, World> {
  constructor(
    private readonly name: string,
    private readonly terms: unknown[],
    private readonly act: (world: World, known: Known) => Promise<After>,
    private readonly may: (known: Known) => boolean = () => true,
  ) {}

  check(known: Readonly<Known>): boolean {
    return this.may(known as Known);
  }

  async run(known: Known, world: World): Promise<void> {
    const after = await this.act(world, known);
    await known.look(world);
    after?.();
  }

  /** Both at once; what the database rolls back for it (a deadlock) has not been. */
  beside(other: Step): Step {
    const both = async (world: World, known: Known) => {
      const steps = [this, other].filter((each) => each.may(known));
      const afters = await Promise.all(steps.map((each) => each.act(world, known).catch(unlessRolledBack)));
      return () => afters.forEach((after) => after?.());
    };
    return new Step(
      `${this.toString()} beside ${other.toString()}`,
      [],
      both,
      (known) => this.may(known) || other.may(known),
    );
  }

  toString(): string {
    return `${this.name}(${this.terms.map((term) => JSON.stringify(term)).join(', ')})`;
  }
}

function unlessRolledBack(error: unknown): void {
  if (!isRollback(error)) throw error;
}

const PHONE = '5511900000001@c.us';
/** Whose it is, is learnt on the way. */
const HIDDEN = '98765000000001@lid';
const CHATS = [PHONE, '5511900000002@c.us', HIDDEN];
const BODIES = ['one', 'two'];

const chat = fc.constantFrom(...CHATS);
const nth = fc.nat({ max: 30 });
const place = fc.nat({ max: 1 });
const end = fc.oneof({ weight: 3, arbitrary: fc.constant<End>('sent') }, fc.constantFrom<End>(...ENDS));
const someHeld = (known: Known): boolean => known.held > 0;
const someNamed = (known: Known): boolean => known.waIds.size > 0;
const some = (known: Known): boolean => known.messages.size > 0;

const messageOf = (known: Known, n: number): Seen => nthOf([...known.messages.values()], n);

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
  fc.constant(new Step('learn', [], (world) => world.learn(HIDDEN, PHONE))),
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
    const act = async (w: World) => void (await w.campaignsOf.move(w.actor, nthOf(w.campaigns, n), to, from[to]));
    return new Step('campaign becomes', [n, to], act, (known) => known.campaigns > 0);
  }),
];

/** With one of the jobs in somebody's hands; two steps at once may find that none is left. */
const withHeld = (name: string, n: number, act: (held: Held, world: World, known: Known) => Promise<After>): Step =>
  new Step(name, [n], async (w, k) => (w.held.length > 0 ? act(nthOf(w.held, n), w, k) : undefined), someHeld);

const settling = fc.tuple(nth, fc.constantFrom<Ack | 'nothing'>('nothing', 'nothing', ...ACKS)).map(([n, found]) => {
  const act = async (world: World, known: Known) => {
    for (const asked of world.asked.splice(n % Math.max(world.asked.length, 1), 1)) await settle(known, asked, found);
  };
  return new Step('settle', [n, found], act, (known) => known.asked > 0);
});

const workers = [
  nth.map((n) => withHeld('record', n, async (held, world) => (held.asked ? undefined : world.record(held)))),
  nth.map((n) => withHeld('abandon', n, ({ worker, job }) => worker.store.abandon(job))),
  place.map((at) => new Step('kill', [at], (world) => world.kill(at))),
  place.map((at) => new Step('sweep', [at], async (world) => void (await (await world.worker(at)).store.sweep()))),
  place.map((at) => new Step('ask', [at], (world) => world.take(at))),
  settling,
];

const claimed = place.map((at) => new Step('claim', [at], (world, known) => claim(world, known, at)));
const finished = fc.tuple(nth, end).map(([n, how]) =>
  withHeld(`finish ${how}`, n, async (held, world, known) => {
    const driver = known.lane?.owner;
    const own = await finish(world, known, held, how);
    return () => holds(own || known.lane?.owner === driver, 'who lost a lane frees it for nobody', known.lane);
  }),
);
/** Of an attempt that is on record, with an outcome that gives nothing back: it may meet anything. */
const answered = fc
  .tuple(nth, fc.constantFrom<End>('sent', 'sent', 'busy', 'refused', 'lost', 'locked'))
  .map(([n, how]) =>
    withHeld(`answer ${how}`, n, async (held, world, known) =>
      held.attempt === null ? undefined : void (await finish(world, known, held, how)),
    ),
  );

const worked = fc
  .tuple(place, end)
  .map(([at, how]) => new Step('work', [at, how], async (w, known) => void (await work(w, known, at, how))));

/** An attempt without an answer, and somebody who asks what became of it. */
const doubted = place.map((at) => {
  const act = async (world: World, known: Known) => {
    await work(world, known, at, 'lost');
    await known.look(world);
    await world.advance(31_000);
    await world.take(at);
  };
  return new Step('doubt', [at], act);
});

/** A worker is given something and dies; another one goes on with its lane. */
const takenOver = fc.tuple(place, fc.boolean()).map(([at, recorded]) => {
  const act = async (world: World, known: Known) => {
    await claim(world, known, at);
    await known.look(world);
    const last = world.held.at(-1);
    if (recorded && last?.asked === false) await world.record(last);
    await known.look(world);
    await world.kill(at);
    await (await world.worker(1 - at)).store.sweep();
    await known.look(world);
    await claim(world, known, 1 - at);
  };
  return new Step('take over', [at, recorded], act);
});

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
          (world, known) => change(world, nthOf([...known.waIds], n), what, patient),
          someNamed,
        ),
    ),
  fc
    .constantFrom('WORKING', 'WORKING', 'STOPPED')
    .map((status) => new Step('session', [status], (w) => w.state(status))),
];

const ticks = [fc.constant(new Step('tick', [], (world) => world.tick()))];
const clocks = [
  ...ticks,
  fc.constantFrom(...SPANS).map((ms) => new Step('advance', [ms], (world) => world.advance(ms))),
];

const deletion = fc.constant(
  new Step('delete session', [], (w) => w.sessions.markDeleted(w.tenantId, w.session.id, async () => undefined)),
);

const calm = fc.oneof(...people, ...workers, ...whatsApp, ...ticks, answered, answered);
const both = fc.tuple(calm, calm).map(([one, other]) => one.beside(other));

/** Each kind of step as often as it is worth: most sequences shall get somewhere. */
export const STEPS: fc.Arbitrary<Step>[] = [
  fc.oneof(...people.slice(0, 1)),
  ...Array<fc.Arbitrary<Step>>(4).fill(worked),
  ...[...people, doubted, doubted, settling, takenOver, takenOver],
  ...[claimed, claimed, finished, finished, ...workers],
  ...whatsApp,
  ...[...clocks, ...clocks],
  ...[both, both, both, both],
  fc.oneof({ weight: 20, arbitrary: worked }, { weight: 1, arbitrary: deletion }),
];
