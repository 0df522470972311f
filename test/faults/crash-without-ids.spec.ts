import { setTimeout as sleep } from 'node:timers/promises';
import { allMessages, compare, lettersOf, noPosting, postAll, settled } from './traffic';
import { inWorld, useWorlds } from './world';

const CHATS = 10;
const PER_CHAT = 12;
const KILLS = 3;

useWorlds();

describe('an engine that reserves no message ids (WEBJS)', () => {
  it('never sends twice: what cannot be known stays unknown, all else arrives once', async () => {
    await inWorld({ engine: 'WEBJS', sessions: 5 }, async (world) => {
      await world.faults({
        seed: 11,
        latency_ms: [20, 150],
        error_rate: 0.03,
        error_after_send_rate: 0.05,
        timeout_after_send_rate: 0.03,
        webhooks: { lose_rate: 0.3, double_rate: 0.1, delay_ms: [0, 200] },
      });
      const chats = lettersOf(world, CHATS, PER_CHAT);
      const posting = noPosting();
      await postAll(world.http, chats, 0, posting);
      for (let kill = 0; kill < KILLS; kill++) {
        const before = (await world.sends()).length;
        await sleep(300); // the pace of the run, not a condition: wherever the sending is by then
        await world.service.kill();
        await world.service.start();
        process.stdout.write(`crash without ids: killed after ${before} sends\n`);
      }
      await settled(world, 60_000);

      const sends = await world.sends();
      const messages = await allMessages(world.http);
      const wanted = chats.map((letters) => letters.map(({ text }) => text));
      const { lost, doubled } = compare(sends, wanted);
      const unknown = messages.filter(({ status }) => status === 'unknown').map(({ text }) => text);
      process.stdout.write(`crash without ids: ${sends.length} sends, ${unknown.length} unknown\n`);
      expect(doubled).toEqual([]);
      expect(messages).toHaveLength(CHATS * PER_CHAT);
      expect(lost.filter((text) => !unknown.includes(text))).toEqual([]);
      const open = messages.filter(({ status }) => !['sent', 'delivered', 'read', 'unknown'].includes(status));
      expect(open).toEqual([]);
      expect(unknown.length).toBeLessThan(messages.length / 4);
    });
  }, 150_000);
});
