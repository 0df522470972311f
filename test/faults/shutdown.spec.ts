import { randomUUID } from 'node:crypto';
import { eventually } from '../support/wait';
import { allMessages, compare, FAULTLESS, lettersOf, noPosting, postAll, settled } from './traffic';
import { inWorld, useWorlds } from './world';

const ANSWERED = 8;

useWorlds();

describe('SIGTERM in the middle of the traffic', () => {
  it('answers what is in flight and ends with 0', async () => {
    await inWorld({ variables: { SHUTDOWN_TIMEOUT_S: '20' } }, async (world) => {
      const owner = await world.owner();
      const [letters = []] = lettersOf(world, 1, ANSWERED);
      await owner.query('begin');
      await owner.query('lock table messages in access exclusive mode');
      const answers = letters.map((letter) =>
        world.http.post('/messages/send', letter, { headers: { 'idempotency-key': randomUUID() } }),
      );
      const claims = `select from idempotency_keys where state = 'running'`;
      await eventually(async () => (await owner.query(claims)).rows.length === ANSWERED, { what: 'all in flight' });
      const code = world.service.terminate();
      await eventually(() => refused(world.service.url), { what: 'no new connection' });
      await owner.query('commit');

      expect((await Promise.all(answers)).map(({ outcome }) => outcome)).toEqual(letters.map(() => '202'));
      expect(await code).toBe(0);
    });
  }, 60_000);

  it('loses nothing: attempts end before the process does, and the rest is sent after the next start', async () => {
    await inWorld({ sessions: 4 }, async (world) => {
      await world.faults({ latency_ms: [100, 400] });
      const chats = lettersOf(world, 8, 6);
      const posting = noPosting();
      const posted = postAll(world.http, chats, 150, posting);
      await eventually(() => posting.accepted >= 16, { what: 'traffic' });
      expect(await world.service.terminate()).toBe(0);
      const owner = await world.owner();
      const { rows } = await owner.query<{ status: string }>('select distinct status from messages');
      expect(rows.filter(({ status }) => ['sending', 'unknown'].includes(status))).toEqual([]);
      expect(rows).toContainEqual({ status: 'queued' });
      expect((await owner.query(`select from idempotency_keys where state = 'running'`)).rows).toEqual([]);

      await world.service.start();
      await posted;
      await settled(world, 30_000);
      const wanted = chats.map((letters) => letters.map(({ text }) => text));
      expect(compare(await world.sends(), wanted)).toEqual(FAULTLESS);
      expect(await allMessages(world.http)).toHaveLength(wanted.flat().length);
    });
  }, 60_000);
});

function refused(url: string): Promise<boolean> {
  return fetch(`${url}/ready`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  );
}
