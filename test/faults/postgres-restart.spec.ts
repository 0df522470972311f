import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnPostgres } from '../support/database';
import type { HttpAnswer } from '../support/http-client';
import { eventually } from '../support/wait';
import type { WireMessage } from '../support/whatsapp';
import { allMessages, compare, type Letter, settled } from './traffic';
import { endWithWorlds, inWorld, ownPostgres, useWorlds, type World } from './world';

const SENDERS = 20;
const PAUSE_MS = 60;

/** Senders that go on until they are stopped, whatever they are answered. */
class Stream {
  /** Why requests got no answer at all. */
  readonly broken: string[] = [];
  readonly answers: { letter: Letter; answer: HttpAnswer<WireMessage> }[] = [];
  private running = true;
  private readonly senders: Promise<void>[];

  constructor(private readonly world: World) {
    this.senders = Array.from({ length: SENDERS }, (_, sender) => this.send(sender));
    endWithWorlds(() => this.stop());
  }

  /** Texts that got this answer, chat by chat and in order. */
  texts(status: number): string[][] {
    const chats = new Map<string, string[]>();
    for (const { letter, answer } of this.answers)
      if (answer.status === status) chats.set(letter.to, [...(chats.get(letter.to) ?? []), letter.text]);
    return [...chats.values()];
  }

  /** How many got that answer after the first so many answers. */
  count(status: number, after = 0): number {
    return this.answers.slice(after).filter(({ answer }) => answer.status === status).length;
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.senders);
  }

  private async send(sender: number): Promise<void> {
    const to = `55119${String(sender).padStart(8, '0')}@c.us`;
    const session_id = this.world.sessions[sender % this.world.sessions.length]?.id ?? '';
    for (let number = 0; this.running; number++) {
      const letter = { session_id, to, text: `${to} ${number}` };
      await this.world.http.post<WireMessage>('/messages/send', letter).then(
        (answer) => this.answers.push({ letter, answer }),
        (error: Error) => this.broken.push(`${error.message}: ${String(error.cause)}`),
      );
      await sleep(Math.random() * 2 * PAUSE_MS);
    }
  }
}

interface Outage {
  postgres: OwnPostgres;
  mode: 'fast' | 'immediate';
}

/** Takes PostgreSQL away until requests fail and a webhook was refused, and brings it back until requests pass. */
async function outage(world: World, stream: Stream, { postgres, mode }: Outage): Promise<void> {
  const { simulator, sessions } = world;
  const before = stream.answers.length;
  await eventually(() => stream.count(202, before) > SENDERS, { what: 'sends to be accepted before the outage' });
  const stopped = postgres.stop(mode);
  await eventually(() => stream.count(503, before) > SENDERS, { timeoutMs: 20_000, what: 'sends to be refused' });
  await stopped;
  const retried = await retriesOf(world);
  const inbound = { from: '5511777770000@c.us', text: `during the outage (${mode})` };
  await simulator.post(`/simulator/sessions/${sessions[0]?.waha_name}/inbound`, inbound);
  await eventually(async () => (await retriesOf(world)) > retried, { what: 'the webhook to be refused' });
  await postgres.restart();
  const back = stream.answers.length;
  await eventually(() => stream.count(202, back) > SENDERS, { timeoutMs: 20_000, what: 'sends to be accepted again' });
}

async function retriesOf({ simulator }: World): Promise<number> {
  return (await simulator.get<{ retried: number }>('/simulator/webhooks')).body.retried;
}

useWorlds();

describe('a restart of PostgreSQL in the middle of the traffic', () => {
  it('loses nothing that was accepted, is answered with 503 meanwhile, and needs no restart of the service', async () => {
    const postgres = await ownPostgres();
    await inWorld({ sessions: 5, postgres }, async (world) => {
      await world.faults({ latency_ms: [2, 20] });
      const pid = world.service.pid;
      const stream = new Stream(world);
      for (const mode of ['fast', 'immediate'] as const) await outage(world, stream, { postgres, mode });
      await stream.stop();
      await eventually(async () => (await inboundTexts(world)).length >= 2, { timeoutMs: 30_000, what: 'the inbound' });
      await settled(world, 90_000);

      expect([world.service.isRunning, world.service.pid, stream.broken]).toEqual([true, pid, []]);
      const others = stream.answers.filter(({ answer }) => ![202, 503].includes(answer.status));
      expect(others).toEqual([]);
      for (const { answer } of stream.answers.filter((each) => each.answer.status === 503))
        expect(answer.body).toEqual({
          error: expect.any(String),
          code: 'DATABASE_ERROR',
          requestId: answer.headers.get('x-request-id'),
        });
      const { lost, doubled, disordered } = compare(await world.sends(), stream.texts(202));
      expect({ lost, doubled, disordered }).toEqual({ lost: [], doubled: [], disordered: [] });
      const failed = (await allMessages(world.http)).filter(
        ({ status }) => !['sent', 'delivered', 'read'].includes(status),
      );
      expect(failed).toEqual([]);
      expect((await inboundTexts(world)).sort()).toEqual(['during the outage (fast)', 'during the outage (immediate)']);
      process.stdout.write(`postgres: ${stream.count(202)} accepted, ${stream.count(503)} refused\n`);
    });
  }, 180_000);
});

async function inboundTexts({ http }: World): Promise<(string | null)[]> {
  return (await allMessages(http, 'inbound')).map(({ text }) => text);
}
