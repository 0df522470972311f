import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type TestRedis } from '../support/redis';
import { eventually } from '../support/wait';
import { endWithWorlds, inWorld, useWorlds, type World } from '../faults/world';

/** What the missing Redis may cost; the figure is part of what the service promises. */
const GROWTH_MS = 50;
const CLIENTS = 4;
const PAUSE_MS = 15;
/** Baseline and fault take turns, so that whatever else this machine does falls on both alike. */
const ROUNDS = 7;
const UP_MS = 1_800;
const AWAY_MS = 1_000;

/** `fault`: from the moment that Redis goes until it is in use again. */
type Phase = 'up' | 'fault';

/** Clients that call a mix of routes all the time, each measured for the phase in which it began. */
class Load {
  phase: Phase = 'up';
  readonly failures: string[] = [];
  private readonly tookMs: Record<Phase, number[]> = { up: [], fault: [] };
  private running = true;
  private readonly clients: Promise<void>[];

  constructor(private readonly world: World) {
    this.clients = Array.from({ length: CLIENTS }, (_, client) => this.run(client));
    endWithWorlds(() => this.stop());
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.clients);
  }

  /** Of the calls that began in that phase, none left out. */
  p99(phase: Phase): number {
    const sorted = this.tookMs[phase].toSorted((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN;
  }

  count(phase: Phase): number {
    return this.tookMs[phase].length;
  }

  /** Warming up is no part of the measurement. */
  forget(): void {
    for (const phase of ['up', 'fault'] as const) this.tookMs[phase].length = 0;
  }

  private async run(client: number): Promise<void> {
    const { http, anybody, sessions } = this.world;
    const letter = { session_id: sessions[0]?.id, to: `5511${client}00000000@c.us`, text: 'hello' };
    const calls = [
      { wanted: 200, call: () => http.get('/users/me') },
      { wanted: 200, call: () => http.get('/messages') },
      { wanted: 202, call: () => http.post('/messages/send', letter) },
      { wanted: 401, call: () => anybody.get('/users/me') }, // counted by the limiter, which lives in Redis
    ];
    for (let turn = client; this.running; turn++) {
      const { wanted, call } = calls[turn % calls.length] ?? { wanted: 0, call: () => Promise.reject(new Error()) };
      const { phase } = this;
      const begun = performance.now();
      const outcome = await call().then(
        ({ outcome: it }) => it,
        (error: Error) => `no answer: ${error.message}`,
      );
      this.tookMs[phase].push(performance.now() - begun);
      if (!outcome.startsWith(String(wanted))) this.failures.push(`${phase}, ${turn % calls.length}: ${outcome}`);
      await sleep(PAUSE_MS);
    }
  }
}

useWorlds();

// The figure is the service's; what else the machine does in these seconds is not, and may spoil a run of it.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describe('a Redis that goes away in the middle of a run', () => {
  it.each([
    { how: 'stopped', away: (redis: TestRedis) => redis.kill(), back: (redis: TestRedis) => redis.restart() },
    {
      how: 'frozen',
      away: async (redis: TestRedis) => redis.pause(),
      back: async (redis: TestRedis) => redis.resume(),
    },
  ])(
    'fails no request and costs at most 50 ms at p99 when $how',
    async ({ how, away, back }) => {
      const redis = await startRedis();
      endWithWorlds(() => redis.stop());
      await inWorld({ variables: { REDIS_URL: redis.url } }, async (world) => {
        const load = new Load(world);
        await sleep(UP_MS);
        load.forget();
        for (let round = 0; round < ROUNDS; round++) {
          load.phase = 'up';
          await sleep(UP_MS);
          load.phase = 'fault';
          await away(redis);
          await Promise.all([sleep(AWAY_MS), becomes(world, 'degraded')]);
          await back(redis);
          await becomes(world, 'healthy');
        }
        await load.stop();

        const p99 = { up: load.p99('up'), fault: load.p99('fault') };
        const calls = { up: load.count('up'), fault: load.count('fault') };
        process.stdout.write(`redis ${how}: p99 ${JSON.stringify(p99)} ms of ${JSON.stringify(calls)} calls\n`);
        expect(load.failures).toEqual([]);
        expect(p99.fault - p99.up).toBeLessThanOrEqual(GROWTH_MS);
      });
    },
    120_000,
  );
});

/** `degraded` while Redis is away, as the rest is well. */
async function becomes({ anybody }: World, status: 'healthy' | 'degraded'): Promise<void> {
  const health = async () => (await anybody.get<{ status: string }>('/health')).body.status === status;
  await eventually(health, { what: `the service to be ${status}` });
}
