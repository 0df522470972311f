import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../../src/embedded/postgres';
import { freePort } from '../../../src/embedded/postgres-server';
import { announceRedis, redisProgram } from '../../support/redis-program';
import type { Cleanup } from '../cleanup';
import { makeFolderOnDisk } from '../machine';
import { Program, startService } from '../programs';
import { addSessions, openLanes, queueMessages, signIn } from './messages';

/** What is measured of each: all that waits, as fast as it goes; then so many a second, each as soon as it is accepted. */
export interface QueuePlan {
  sessions: number;
  perSession: number;
  perSecond: number;
  seconds: number;
}

export interface QueueFigures {
  name: string;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

interface Seen {
  count: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

const LONGEST_MS = 300_000;

/** Our queue, BullMQ and pg-boss, one after the other, sending the same messages to the same WAHA that sends nothing. */
export async function measureQueues(cleanup: Cleanup, plan: QueuePlan): Promise<QueueFigures[]> {
  const folder = makeFolderOnDisk();
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const waha = Program.start('queue/noop-waha.mjs');
  cleanup.add(() => waha.stop());
  const { port: wahaPort } = await waha.ask<{ port: number }>({ what: 'listen' });
  const password = randomBytes(16).toString('hex');
  const postgres = await startEmbeddedPostgres({
    dataDir: path.join(folder, 'postgres'),
    password,
    durability: 'full',
  });
  cleanup.add(() => postgres.stop());
  const bench = { folder, waha, wahaPort, databaseUrl: postgres.url, cleanup, plan };
  const redisPort = await startRedis(cleanup, folder);
  return [
    await ours(bench),
    await peer(bench, 'BullMQ', { kind: 'bullmq', redisPort }),
    await peer(bench, 'pg-boss', { kind: 'pgboss', databaseUrl: postgres.url }),
  ];
}

interface Bench {
  folder: string;
  waha: Program;
  wahaPort: number;
  databaseUrl: string;
  cleanup: Cleanup;
  plan: QueuePlan;
}

async function ours({ folder, waha, wahaPort, databaseUrl, cleanup, plan }: Bench): Promise<QueueFigures> {
  const logs = path.join(folder, 'service');
  mkdirSync(logs);
  const variables = {
    ...{ NODE_ENV: 'production', ROLE: 'all', DATABASE_URL: databaseUrl, RATE_LIMIT_PER_MINUTE: '1000000' },
    ...{ DATA_ENCRYPTION_KEY: randomBytes(32).toString('base64'), JWT_SECRET: randomBytes(32).toString('hex') },
    ...{ WAHA_BASE_URL: `http://127.0.0.1:${wahaPort}`, WAHA_API_KEY: randomBytes(16).toString('hex') },
  };
  const service = await startService(variables, path.join(logs, 'log'));
  cleanup.add(() => service.stop());
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  cleanup.add(() => owner.end());
  const { tenantId, sessions, email, password } = await addSessions(owner, plan.sessions);
  await queueMessages(owner, { tenantId, sessions, perSession: plan.perSession });
  await waha.ask({ what: 'forget' });
  await openLanes(owner, tenantId);
  const { perSecond } = await untilAllSent(waha, plan);
  const authorization = await signIn(service.port, { email, password });
  const { p50Ms, p99Ms } = await steadily(waha, plan, async (nth) => {
    const body = { session_id: sessions[nth % sessions.length], to: chatOf(nth), text: String(Date.now()) };
    const answer = await fetch(`http://127.0.0.1:${service.port}/messages/send`, {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json', authorization },
    });
    if (answer.status !== 202) throw new Error(`Sending gave ${answer.status} ${await answer.text()}`);
  });
  await service.stop();
  return { name: 'Switchboard', perSecond, p50Ms, p99Ms };
}

async function peer({ waha, wahaPort, cleanup, plan }: Bench, name: string, where: object): Promise<QueueFigures> {
  const program = Program.start('queue/peer.mjs');
  cleanup.add(() => program.stop());
  await program.ask({ what: 'start', wahaPort, ...where });
  const total = plan.sessions * plan.perSession;
  const jobs = Array.from({ length: total }, (_, nth) => jobOf(nth, plan));
  for (let from = 0; from < total; from += 1_000)
    await program.ask({ what: 'fill', jobs: jobs.slice(from, from + 1_000) });
  await waha.ask({ what: 'forget' });
  await program.ask({ what: 'run' });
  const { perSecond } = await untilAllSent(waha, plan);
  const { p50Ms, p99Ms } = await steadily(waha, plan, (nth) =>
    program.ask({ what: 'add', job: { ...jobOf(nth, plan), text: String(Date.now()) } }),
  );
  await program.stop();
  return { name, perSecond, p50Ms, p99Ms };
}

const chatOf = (nth: number): string => `55118${String(nth).padStart(8, '0')}@c.us`;
const jobOf = (nth: number, { sessions }: QueuePlan) => ({
  session: `bench-${nth % sessions}`,
  chatId: chatOf(nth),
  text: '0',
});

async function untilAllSent(waha: Program, { sessions, perSession }: QueuePlan): Promise<{ perSecond: number }> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const seen = await waha.ask<Seen>({ what: 'tell' });
    if (seen.count >= sessions * perSession) return { perSecond: seen.count / seen.seconds };
    if (performance.now() > deadline) throw new Error(`Only ${seen.count} were sent`);
    await sleep(200);
  }
}

/** Accepts at that rate, whatever the answers take; then tells how long the messages were on their way. */
async function steadily(
  waha: Program,
  { perSecond, seconds }: QueuePlan,
  accept: (nth: number) => Promise<unknown>,
): Promise<Seen> {
  await waha.ask({ what: 'forget' });
  const total = perSecond * seconds;
  const begun = performance.now();
  let waiting: Promise<unknown> = Promise.resolve();
  for (let nth = 0; nth < total; nth += 1) {
    await sleep(Math.max(0, begun + (nth * 1_000) / perSecond - performance.now()));
    waiting = Promise.all([waiting, accept(nth)]);
  }
  await waiting;
  for (let round = 0; round < 100; round += 1) {
    const seen = await waha.ask<Seen>({ what: 'tell' });
    if (seen.count >= total) return seen;
    await sleep(100);
  }
  throw new Error('Not all that was accepted was sent');
}

/** A Redis that writes what it is told to its log every second, as BullMQ wants it. */
async function startRedis(cleanup: Cleanup, folder: string): Promise<number> {
  await announceRedis();
  const port = await freePort();
  const options = ['--port', String(port), '--dir', folder, '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  const redis = spawn(redisProgram(), options, { stdio: 'ignore' });
  cleanup.add(() => redis.kill());
  await sleep(500);
  return port;
}
