import type { Client } from 'pg';
import { DEFAULT_PACE, type Pace, type PaceChange, mergedPace, type QuietHours } from '../../src/common/pace';
import { newId } from '../../src/common/ids';
import type { LaneJob } from '../../src/modules/messages/lanes/lane-job';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import { sent } from '../../src/modules/messages/lanes/outcome';
import { ACCEPT } from '../../src/modules/messages/acceptance';
import { LANE_COLUMNS, LANE_VALUES, laneSettings } from '../../src/modules/waha/lane-settings';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { InjectedTime } from '../support/injected-time';
import { type Doors, openDoors } from './database.harness';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Midnight in São Paulo, where the tenants of this test are. */
const MIDNIGHT = Date.parse('2031-05-05T03:00:00Z');

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let time: InjectedTime;
let store: LaneStore;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  time = await InjectedTime.in(db, owner, new Date(MIDNIGHT));
  doors = await openDoors(db, 2);
  const wakeups = { workerId: newId(), wake: () => undefined };
  store = new LaneStore(doors.system, wakeups as never);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

interface Left {
  at: number;
  session: string;
  chat: string;
  id: string;
}

/** A session with that pace, in a tenant of its own. */
async function session(change: PaceChange, quiet: QuietHours | null = null): Promise<TestSession & { pace: Pace }> {
  const make = new Factories(owner);
  const tenantId = await make.tenant();
  await owner.query(`update tenants set settings = '{"time_zone": "America/Sao_Paulo"}' where id = $1`, [tenantId]);
  const made = await make.session(tenantId, { lane: 'open' });
  const pace = mergedPace(DEFAULT_PACE, change);
  await owner.query(
    `update lanes set (${LANE_COLUMNS}) = (select ${LANE_VALUES} from ${laneSettings('$2', '$3')}), tokens = 1, tokens_at = $4,
      pace_at = $4 where session_id = $1`,
    [made.id, pace, quiet, new Date(MIDNIGHT)],
  );
  return { ...made, pace };
}

/** Takes messages to so many chats into the queue, as the service does; answers their ids. */
async function accept({ tenantId, id }: TestSession, chats: string[]): Promise<string[]> {
  const ids = chats.map(() => newId());
  const each = <T>(value: T): T[] => chats.map(() => value);
  const columns = [
    each(tenantId),
    ids,
    each(id),
    chats,
    each('hello'),
    each('{}'),
    each('{}'),
    each(newId()),
    each('text'),
  ];
  await doors.batch.query([tenantId], ACCEPT, [...columns, each(null), each(null)]);
  return ids;
}

/** Somebody writes. */
const hears = ({ tenantId, id }: TestSession, chat: string, at: number): Promise<unknown> =>
  owner.query(
    `insert into chats (tenant_id, session_id, chat, last_inbound_at) values ($1, $2, $3, $4)
      on conflict (tenant_id, session_id, chat) do update set last_inbound_at = excluded.last_inbound_at`,
    [tenantId, id, chat, new Date(at)],
  );

/** Lets the lanes go on until that time; what happens on the way happens at its time. */
async function run(
  from: number,
  until: number,
  events: { at: number; happen: () => Promise<void> }[],
): Promise<Left[]> {
  const left: Left[] = [];
  const coming = [...events].sort((a, b) => a.at - b.at);
  for (let at = from; at < until;) {
    await time.set(new Date(at));
    while (coming[0] && coming[0].at <= at) await coming.shift()?.happen();
    const { jobs } = await store.claim(50);
    await Promise.all(jobs.map((job) => leave(job, at, left)));
    if (jobs.length > 0) continue;
    const dueMs = (await store.nextDueMs()) ?? DAY;
    at = Math.min(at + Math.max(1, Math.ceil(dueMs)), coming[0]?.at ?? Infinity);
  }
  return left;
}

async function leave(job: LaneJob, at: number, left: Left[]): Promise<void> {
  const attempt = await store.recordAttempt(job, null);
  if (attempt !== null) left.push({ at, session: job.session_id, chat: job.chat, id: job.id });
  await store.finish(job, attempt, sent(null));
}

const chatOf = (n: number) => `55118${String(n).padStart(8, '0')}@c.us`;
const chats = (count: number, from = 0) => Array.from({ length: count }, (_, n) => chatOf(from + n));
const of = (left: Left[], { id }: TestSession) => left.filter(({ session: of }) => of === id);
const dayOf = (at: number) => Math.floor((at - MIDNIGHT) / DAY);
const perDay = (left: Left[]) => {
  const days: number[] = [];
  for (const { at } of left) days[dayOf(at)] = (days[dayOf(at)] ?? 0) + 1;
  return Array.from(days, (count) => count ?? 0);
};

/** The most that left within any time as long as that. */
function most(left: Left[], windowMs: number): number {
  let [start, high] = [0, 0];
  left.forEach(({ at }, end) => {
    while (at - (left[start]?.at ?? at) >= windowMs) start += 1;
    high = Math.max(high, end - start + 1);
  });
  return high;
}

describe('a day of sending', () => {
  it('exceeds no figure of the pace, and lets replies wait for no campaign', async () => {
    const busy = await session({ jitter_ms: 0, daily_cap: 600 });
    await owner.query(`insert into chats (tenant_id, session_id, chat) select $1, $2, unnest($3::text[])`, [
      busy.tenantId,
      busy.id,
      chats(2_000),
    ]);
    await accept(busy, chats(700));
    await accept(busy, chats(300, 5_000)); // nobody has heard of these
    const replies = new Map<string, number>();
    const events = Array.from({ length: 40 }, (_, n) => {
      const at = MIDNIGHT + 5 * MINUTE + n * 37 * MINUTE;
      const happen = async () => {
        await hears(busy, chatOf(n * 7), at);
        const [id = ''] = await accept(busy, [chatOf(n * 7)]);
        replies.set(id, at);
      };
      return { at, happen };
    });
    const left = of(await run(MIDNIGHT, MIDNIGHT + 2 * DAY, events), busy);
    const { per_minute, burst, daily_cap, first_contacts_per_day } = busy.pace;
    expect(most(left, MINUTE)).toBeLessThanOrEqual(per_minute + burst);
    expect(most(left, MINUTE / per_minute)).toBeLessThanOrEqual(burst + 1);
    for (const count of perDay(left)) expect(count).toBeLessThanOrEqual(daily_cap);
    // All but the tenth that is kept, and what replies took of that.
    expect(perDay(left)[0]).toBeGreaterThanOrEqual(540);
    const firsts = left.filter(({ chat }) => chat >= chatOf(5_000));
    for (const count of perDay(firsts)) expect(count).toBeLessThanOrEqual(first_contacts_per_day);
    expect(firsts.length).toBeGreaterThan(0);
    const waits = left.flatMap(({ id, at }) => (replies.has(id) ? [at - (replies.get(id) ?? 0)] : []));
    expect(waits).toHaveLength(40);
    expect(Math.max(...waits)).toBeLessThanOrEqual(MINUTE / per_minute + 1_000);
  }, 120_000);

  it('keeps the order of each chat, and sends each message once', async () => {
    const one = await session({ jitter_ms: 400, per_minute: 60 });
    const ids = await accept(
      one,
      Array.from({ length: 200 }, (_, n) => chatOf(9_000 + (n % 40))),
    );
    const left = of(await run(MIDNIGHT + 3 * DAY, MIDNIGHT + 3 * DAY + HOUR, []), one);
    expect(left.map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const chat of chats(40, 9_000)) {
      const sentIds = left.filter((each) => each.chat === chat).map(({ id }) => id);
      expect(sentIds).toEqual(ids.filter((id) => sentIds.includes(id)));
    }
  }, 60_000);

  it('grows with the number while that warms up, to the whole cap on its last day', async () => {
    const start = MIDNIGHT + 10 * DAY;
    const young = await session({
      ...{ jitter_ms: 0, per_minute: 600, daily_cap: 320, first_contacts_per_day: 1_000 },
      warmup: { enabled: true, days: 4, start_per_day: 20 },
    });
    await accept(young, chats(2_000));
    const left = of(await run(start, start + 6 * DAY - HOUR, []), young);
    // 20, 40, 80, 160, and from then on 320: all but a tenth of each.
    expect(perDay(left).slice(10)).toEqual([18, 36, 72, 144, 288, 288]);
  }, 60_000);

  it('sends only replies in quiet hours, which may span midnight', async () => {
    const start = MIDNIGHT + 20 * DAY;
    const calm = await session({ jitter_ms: 0, first_contacts_per_day: 1_000 }, { from: '22:00', to: '07:00' });
    await accept(calm, chats(50));
    let reply = '';
    const happen = async () => {
      await hears(calm, chatOf(77), start + HOUR);
      [reply = ''] = await accept(calm, [chatOf(77)]);
    };
    const left = of(await run(start, start + DAY - HOUR, [{ at: start + HOUR, happen }]), calm);
    expect(left[0]).toMatchObject({ id: reply, at: start + HOUR });
    expect(left[1]?.at).toBe(start + 7 * HOUR);
    expect(left).toHaveLength(51);
  }, 60_000);

  it('holds back new contacts while WhatsApp refuses them, and nobody else', async () => {
    const start = MIDNIGHT + 30 * DAY;
    const refused = await session({ jitter_ms: 0 });
    await hears(refused, chatOf(1), start - 3 * DAY);
    const [first = '', second = ''] = await accept(refused, [chatOf(500), chatOf(500)]);
    await time.set(new Date(start));
    const { jobs } = await store.claim(50);
    const [job] = jobs.filter(({ session_id }) => session_id === refused.id);
    expect(job?.id).toBe(first);
    if (!job) return;
    const attempt = await store.recordAttempt(job, null);
    const outcome = { ...sent(null), status: 'queued', errorCode: 'REACH_OUT_LOCKED', firstsClosedMs: HOUR } as const;
    await store.finish(job, attempt, outcome);
    const [known = ''] = await accept(refused, [chatOf(1)]);
    const left = of(await run(start, start + 3 * HOUR, []), refused);
    expect(left.map(({ id }) => id)).toEqual([known, first, second]);
    expect(left[1]?.at).toBeGreaterThanOrEqual(start + HOUR);
    const { rows } = await owner.query('select burned from messages where id = $1', [first]);
    expect(rows).toEqual([{ burned: 1 }]); // the one that went through
  }, 60_000);
});
