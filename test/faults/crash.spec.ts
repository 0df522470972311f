import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/simulator/random';
import { eventually } from '../support/wait';
import { allMessages, compare, FAULTLESS, lettersOf, noPosting, postAll, type Posting, settled } from './traffic';
import { inWorld, useWorlds, type World } from './world';

/** `SEED=…` repeats a run as far as processes can be repeated. */
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

const CHATS = 20;
const PER_CHAT = 25;
const KILL_AT = [100, 220, 350];
const NEXT_KILL_AT_LATEST_MS = 8_000;

useWorlds();

/**
 * Kills the service each time that so many messages are accepted, at the latest some seconds after it was started again,
 * with requests and attempts under way.
 */
async function killThreeTimes(world: World, posting: Posting, random: Random): Promise<number[]> {
  const killedAt: number[] = [];
  for (const accepted of KILL_AT) {
    const late = performance.now() + NEXT_KILL_AT_LATEST_MS;
    await eventually(() => posting.accepted >= accepted || performance.now() > late, { timeoutMs: 30_000 });
    await sleep(random.between([0, 300]));
    await eventually(() => posting.underWay > 2, { everyMs: 1 });
    await sleep(random.between([0, 6]));
    killedAt.push(posting.accepted);
    await world.service.kill();
    await endLeasesOfKeys(world);
    await world.service.start();
  }
  return killedAt;
}

/** A dead process's hold on its Idempotency-Keys ends after a minute; here time is made to pass faster. */
async function endLeasesOfKeys(world: World): Promise<void> {
  const owner = await world.owner();
  await owner.query(`update idempotency_keys set lease_until = now() where state = 'running' and lease_until > now()`);
}

describe('500 messages over 20 chats', () => {
  it('all arrive once and in order, though the process is killed three times and WAHA is at its worst', async () => {
    await inWorld({ sessions: 5 }, async (world) => {
      const random = new Random(seed);
      await world.faults({
        seed,
        latency_ms: [20, 150],
        error_rate: 0.02,
        error_after_send_rate: 0.03,
        timeout_after_send_rate: 0.02,
        ack_lose_rate: 0.05,
        webhooks: { lose_rate: 0.1, double_rate: 0.1, reorder_rate: 0.05, delay_ms: [0, 200] },
      });
      const chats = lettersOf(world, CHATS, PER_CHAT);
      const posting = noPosting();
      const posted = postAll(world.http, chats, 400, posting);
      const [killedAt] = await Promise.all([killThreeTimes(world, posting, random), posted]);
      await settled(world, 60_000);

      const sends = await world.sends();
      const messages = await allMessages(world.http);
      const verdict = compare(
        sends,
        chats.map((letters) => letters.map(({ text }) => text)),
      );
      const attempts = messages.reduce((sum, message) => sum + message.attempts, 0);
      report({ seed, killedAt, accepted: posting.accepted, unanswered: posting.broken, attempts, sends: sends.length });
      expect(verdict).toEqual(FAULTLESS);
      expect(messages).toHaveLength(CHATS * PER_CHAT);
      expect(messages.filter(({ status }) => !['sent', 'delivered', 'read'].includes(status))).toEqual([]);
    });
  }, 240_000);
});

function report(numbers: Record<string, unknown>): void {
  process.stdout.write(`crash: ${JSON.stringify(numbers)}\n`);
}
