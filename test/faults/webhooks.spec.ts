import type { Client } from 'pg';
import { eventually } from '../support/wait';
import { becomes, historyOf, send, type WireSession } from '../support/whatsapp';
import { allMessages } from './traffic';
import { inWorld, useWorlds, type World } from './world';

const FROM = '5511777770000@c.us';

useWorlds();
jest.setTimeout(60_000);

describe('webhooks that come doubled, before their time or before a crash', () => {
  it('makes one message of message and message.any, delivered twice each', async () => {
    await inWorld({}, async (world) => {
      await world.faults({ webhooks: { double_rate: 1 } });
      await writes(world, 'hello');
      const letter = { session_id: sessionOf(world).id, to: FROM, text: 'echoed twice' };
      const { id } = await send(world.http, letter);
      await becomes(world.http, id, 'read');
      await eventually(async () => (await counters(world)).pending === 0, { what: 'all webhooks to be delivered' });
      await applied(await world.owner());

      expect((await allMessages(world.http, 'inbound')).map(({ text }) => text)).toEqual(['hello']);
      expect((await allMessages(world.http)).map(({ text }) => text)).toEqual(['echoed twice']);
      expect(await historyOf(world.http, id)).toEqual(['queued', 'sending', 'sent', 'delivered', 'read']);
    });
  });

  it('applies after the restart what was stored and not applied when the process was killed', async () => {
    await inWorld({}, async (world) => {
      const owner = await world.owner();
      // As another worker would that is at the events of this session.
      await owner.query(`select pg_advisory_lock(hashtextextended('events ' || $1, 0))`, [sessionOf(world).id]);
      const { delivered } = await counters(world);
      await writes(world, 'kept');
      await eventually(async () => (await counters(world)).delivered === delivered + 2, { what: 'both to be stored' });
      await world.service.kill();
      const { rows } = await owner.query<{ status: string }>(
        `select status from webhook_events where body like '%kept%'`,
      );
      expect(rows).toEqual([{ status: 'pending' }, { status: 'pending' }]);

      await owner.query('select pg_advisory_unlock_all()');
      await world.service.start();
      await applied(owner);
      expect((await allMessages(world.http, 'inbound')).map(({ text }) => text)).toEqual(['kept']);
    });
  });

  it.each(['NOWEB', 'WEBJS'] as const)(
    'believes the ack that comes before the answer of its send (%s)',
    async (engine) => {
      await inWorld({ engine }, async (world) => {
        await world.faults({ timeout_after_send_rate: 1 });
        const letter = { session_id: sessionOf(world).id, to: FROM };
        const first = await send(world.http, { ...letter, text: 'never answered' });
        await becomes(world.http, first.id, 'read');
        await world.faults({});
        const second = await send(world.http, { ...letter, text: 'answered' });
        await becomes(world.http, second.id, 'read'); // the first attempt has timed out by then

        expect((await historyOf(world.http, first.id)).filter((status) => status !== 'sent')).toEqual([
          'queued',
          'sending',
          'delivered',
          'read',
        ]);
        expect((await world.sends()).map(({ text }) => text)).toEqual(['never answered', 'answered']);
        expect(await allMessages(world.http)).toHaveLength(2);
      });
    },
  );
});

function sessionOf({ sessions }: World): WireSession {
  const [session] = sessions;
  if (!session) throw new Error('This world has no session');
  return session;
}

async function writes(world: World, text: string): Promise<void> {
  const path = `/simulator/sessions/${sessionOf(world).waha_name}/inbound`;
  const { status } = await world.simulator.post(path, { from: FROM, text });
  expect(status).toBe(201);
}

async function counters({ simulator }: World): Promise<{ delivered: number; pending: number }> {
  return (await simulator.get<{ delivered: number; pending: number }>('/simulator/webhooks')).body;
}

/** Waits until no stored event waits to be applied. */
async function applied(owner: Client): Promise<void> {
  const pending = async () => {
    const { rows } = await owner.query(`select from webhook_events where status = 'pending'`);
    return rows.length === 0;
  };
  await eventually(pending, { what: 'all events to be applied' });
}
