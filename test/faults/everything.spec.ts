import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkResponse, CampaignWithProgressResponse } from '../../src/modules/campaigns/dto/campaign.response';
import { Random } from '../../src/simulator/random';
import type { OwnPostgres } from '../support/database';
import { allPages } from '../support/pages';
import { eventually } from '../support/wait';
import type { Wire, WireMessage } from '../support/whatsapp';
import type { ServiceProcess } from './service-process';
import { compare, FAULTLESS, lettersOf, noPosting, postAll, settled, untilAccepted } from './traffic';
import { inWorld, ownPostgres, useWorlds, type World } from './world';

/** `SEED=…` repeats a run as far as processes can be repeated. */
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

/** `FAULT_MESSAGES=15000` makes it the whole run, over 300 sessions; by itself it is a tenth of that. */
const MESSAGES = Number(process.env.FAULT_MESSAGES ?? 1_500);
const SESSIONS = Math.max(16, Math.round(MESSAGES / 50));
const CAMPAIGNS = 8;
/** A fifth is sent one by one, over as many chats as there are sessions. */
const PER_CHAT = Math.round(MESSAGES / 5 / SESSIONS);
const RECIPIENTS = Math.round((MESSAGES * 4) / 5 / CAMPAIGNS);

const WORKERS = 3;
const KILLS = 6;
/** Longer than a lease. */
const FROZEN_MS = 33_000;
/** So slow that the work lasts as long as what is done to it. */
const PACE = { per_minute: 70, burst: 1, jitter_ms: 300, daily_cap: 1_000_000, first_contacts_per_day: 1_000_000 };
/** As many processes as there are here keep a WAHA on a small machine from its work for seconds. */
const WAHA_LATE_MS = 20_000;

useWorlds();

interface Accepted {
  id: string;
  texts: string[];
}

/** Campaigns, each to numbers and from sessions of its own. */
async function campaigns({ http, sessions }: World): Promise<Accepted[]> {
  const share = Math.floor(SESSIONS / CAMPAIGNS);
  const made: Accepted[] = [];
  for (let nth = 0; nth < CAMPAIGNS; nth += 1) {
    const numbers = Array.from({ length: RECIPIENTS }, (_, n) => `5521${nth}${String(n).padStart(8, '0')}`);
    const body = {
      message: { text: `campaign ${nth} to {{n}}` },
      session_ids: sessions.slice(nth * share, (nth + 1) * share).map(({ id }) => id),
      recipients: numbers.map((number) => ({ to: `${number}@c.us`, variables: { n: number } })),
    };
    const { campaign_id, accepted } = await untilAccepted<Wire<BulkResponse>>(
      http,
      { path: '/messages/bulk', body },
      noPosting(),
    );
    expect(accepted).toBe(RECIPIENTS);
    made.push({ id: campaign_id ?? '', texts: numbers.map((number) => `campaign ${nth} to ${number}`) });
    await sleep(1_500);
  }
  return made;
}

/** Everything that can happen to processes, one after the other, while they work. */
async function misfortunes(world: World, postgres: OwnPostgres, random: Random): Promise<void> {
  const frozen = freezeOne(world);
  for (let nth = 0; nth < KILLS; nth += 1) {
    await sleep(random.between([1_500, 5_000]));
    // The one that answers requests dies too; of the workers never the frozen one, which is as good as dead.
    const victim = nth === 3 ? world.service : world.workers[1 + (nth % (WORKERS - 1))];
    await killAndRestart(world, victim);
    if (nth === 2) await postgres.restart('immediate');
  }
  await frozen;
}

async function freezeOne({ workers: [first] }: World): Promise<void> {
  await sleep(4_000);
  first?.freeze();
  await sleep(FROZEN_MS);
  first?.thaw();
}

async function killAndRestart(world: World, victim: ServiceProcess | undefined): Promise<void> {
  if (!victim) throw new Error('There is nobody to kill');
  await victim.kill();
  if (victim === world.service) {
    // A dead process's hold on its Idempotency-Keys ends after a minute; here time is made to pass faster.
    const owner = await world.owner();
    await owner.query(
      `update idempotency_keys set lease_until = now() where state = 'running' and lease_until > now()`,
    );
  }
  await victim.start();
}

/** As everything has arrived in the end, nothing else is an outcome. */
const OUTCOMES = ['sent', 'delivered', 'read'];

/** The ledger of a campaign is complete: each recipient once, each with an outcome. */
async function ledgerOf({ http }: World, { id, texts }: Accepted): Promise<void> {
  const campaign = await eventually(
    async () => {
      const { body } = await http.get<Wire<CampaignWithProgressResponse>>(`/campaigns/${id}`);
      if (body.status !== 'finished') throw new Error(`it is ${body.status}`);
      return body;
    },
    { what: 'the campaign to finish', timeoutMs: 60_000, everyMs: 500 },
  );
  const { counts } = campaign.progress;
  const rows = await allPages<WireMessage>(http, `/campaigns/${id}/recipients?limit=100`);
  expect(rows.map(({ text }) => text).sort()).toEqual([...texts].sort());
  expect(rows.filter(({ status }) => !OUTCOMES.includes(status))).toEqual([]);
  const final = OUTCOMES.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  expect([campaign.accepted, final, counts]).toEqual([texts.length, texts.length, counts]);
}

describe(`${MESSAGES} messages over ${SESSIONS} sessions and ${WORKERS} workers`, () => {
  it('all arrive once and in order, whatever happens to processes, database and WAHA', async () => {
    const postgres = await ownPostgres();
    await inWorld(
      { sessions: SESSIONS, workers: WORKERS, postgres, pace: PACE, variables: { WAHA_LATE_MS: String(WAHA_LATE_MS) } },
      async (world) => {
        const random = new Random(seed);
        await world.faults({
          seed,
          latency_ms: [10, 80],
          error_rate: 0.02,
          error_after_send_rate: 0.01,
          timeout_after_send_rate: 0.01,
          ack_lose_rate: 0.05,
          webhooks: { lose_rate: 0.05, double_rate: 0.05, reorder_rate: 0.05, delay_ms: [0, 100] },
        });
        const begun = performance.now();
        const letters = lettersOf(world, SESSIONS, PER_CHAT);
        const posting = noPosting();
        const [made] = await Promise.all([
          campaigns(world),
          postAll(world.http, letters, 1_000, posting),
          misfortunes(world, postgres, random),
        ]);
        await settled(world, 240_000);
        for (const each of made) await ledgerOf(world, each);
        const sends = await world.sends();
        const wanted = [
          ...letters.map((chat) => chat.map(({ text }) => text)),
          ...made.flatMap(({ texts }) => texts.map((text) => [text])),
        ];
        const seconds = Math.round((performance.now() - begun) / 1_000);
        report({ seed, messages: wanted.flat().length, sends: sends.length, seconds, unanswered: posting.broken });
        expect(compare(sends, wanted)).toEqual(FAULTLESS);
        const owner = await world.owner();
        const { rows } = await owner.query(
          `select status, count(*)::int as count from messages where direction = 'outbound'
          and status not in ('sent', 'delivered', 'read') group by status`,
        );
        expect(rows).toEqual([]);
      },
    );
  }, 900_000);
});

function report(numbers: Record<string, unknown>): void {
  process.stdout.write(`everything: ${JSON.stringify(numbers)}\n`);
}
