import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { freePort } from '../../src/embedded/postgres-server';
import { redisProgram } from './redis-program';
import { makeRunFolder, presentRun } from './run';
import { eventually } from './wait';

/** A Redis of the test's own: on the loopback address, without persistence. */
export interface TestRedis {
  url: string;
  port: number;
  /** Of the server at the moment. */
  readonly pid: number;
  /** Freezes it: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** As a crash; resolves when it is gone. */
  kill(): Promise<void>;
  /** Kills it if it runs, and starts it anew, empty, on the same port. */
  restart(): Promise<void>;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
}

interface Running {
  pid: number;
  gone: Promise<void>;
  child: ChildProcess;
}

const ATTEMPTS = 5;

/** Starts a Redis on a free port; it answers when this resolves. Fails, and never skips, when there is no redis-server. */
export async function startRedis(): Promise<TestRedis> {
  const folder = makeRunFolder(
    path.join(presentRun(), `redis-${process.env.JEST_WORKER_ID}-${randomBytes(4).toString('hex')}`),
  );
  const first = await startSomewhere(folder);
  const { port } = first;
  let { running } = first;
  const kill = async () => {
    running.child.kill('SIGKILL');
    await running.gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid;
    },
    pause: () => void process.kill(running.pid, 'SIGSTOP'),
    resume: () => void process.kill(running.pid, 'SIGCONT'),
    kill,
    restart: async () => {
      await kill();
      running = await startOn(folder, port);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The port found free may be taken before Redis has it. */
async function startSomewhere(folder: string): Promise<{ port: number; running: Running }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return { port, running: await startOn(folder, port) };
    } catch (error) {
      if (attempt === ATTEMPTS || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOn(folder: string, port: number): Promise<Running> {
  const logFile = path.join(folder, 'redis.log');
  const log = openSync(logFile, 'w');
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = spawn(redisProgram(), settings, { stdio: ['ignore', log, log] });
  closeSync(log);
  let ended: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => resolve(void (ended = error.message)));
    child.once('exit', () => resolve(void (ended = readFileSync(logFile, 'utf8'))));
  });
  child.unref(); // a test that forgets it does not hold the worker: the global teardown ends it
  if (child.pid !== undefined) writeFileSync(path.join(folder, 'redis.pid'), `${child.pid} ${port}`);
  await eventually(async () => ended !== undefined || (await answers(port)), { what: `Redis on port ${port}` });
  if (ended !== undefined || child.pid === undefined) throw new Error(`Redis did not start: ${ended}`);
  return { pid: child.pid, gone, child };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
