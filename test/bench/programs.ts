import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/embedded/postgres-server';

const root = path.resolve(__dirname, '../..');
const START_TIMEOUT_MS = 60_000;

/** A server under load. */
export interface Server {
  pid: number;
  port: number;
  stop(): Promise<void>;
}

/** What the load generator is told to do, and what it says afterwards. */
export interface LoadRequest {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Headers of which the requests take turns, beside those of all. */
  variants?: Record<string, string>[];
  /** Each request with an id of its own in place of the placeholder, and the HMAC of its body. */
  signed?: { placeholder: string; prefix: string; secret: string };
}

export interface LoadOrder {
  port: number;
  connections: number;
  seconds: number;
  request: LoadRequest;
  /** Of signed requests, which are made beforehand, so many are there. */
  atMost: number;
}

export interface LoadResult {
  requests: number;
  elapsedS: number;
  /** How many answers were of each status outside 2xx. */
  failures: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
}

/** A program that the bench talks to over IPC. */
export class Program {
  private constructor(private readonly child: ChildProcess) {}

  /** @param variables beside those of this process */
  static start(file: string, variables: Record<string, string> = {}): Program {
    const env = { ...process.env, ...variables };
    return new Program(fork(path.join(__dirname, file), { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Sends a message and waits for the one that comes back. */
  ask<R>(message: object): Promise<R> {
    const { child } = this;
    return new Promise<R>((resolve, reject) => {
      const ended = (): void => reject(new Error('A program of the bench ended before its time'));
      child.once('exit', ended).once('message', (answer: R & { error?: string }) => {
        child.off('exit', ended);
        if (answer.error) reject(new Error(answer.error));
        else resolve(answer);
      });
      child.send(message);
    });
  }

  async stop(): Promise<void> {
    await end(this.child);
  }
}

/**
 * Starts the service as it is started in production, with its log in a file; of role gateway, with that on the port.
 * @param preload modules that are loaded before it
 */
export async function startService(
  variables: Record<string, string>,
  logFile: string,
  preload: string[] = [],
): Promise<Server> {
  const port = await freePort();
  const ports =
    variables.ROLE === 'gateway'
      ? { PORT: '0', GATEWAY_PORT: String(port) }
      : { PORT: String(port), GATEWAY_PORT: '0' };
  const log = openSync(logFile, 'a');
  const child = spawn(
    process.execPath,
    [...preload.flatMap((file) => ['-r', file]), path.join(root, 'dist/src/main.js')],
    {
      cwd: path.dirname(logFile), // no .env there
      env: { PATH: process.env.PATH, ...variables, ...ports, HOST: '127.0.0.1' },
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  await untilReady(child, port, logFile);
  return { pid: child.pid ?? 0, port, stop: () => end(child) };
}

/** Starts the service as `npm start` does, with everything embedded; resolves when it is ready. */
export async function startEmbedded(dataDir: string, logFile: string): Promise<Server> {
  const [port, simulatorPort] = [await freePort(), await freePort()];
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [path.join(root, 'tools/start.mjs')], {
    cwd: path.dirname(logFile),
    env: {
      ...{ PATH: process.env.PATH, EMBEDDED_DATA_DIR: dataDir, PORT: String(port) },
      ...{ WAHA_SIMULATOR_PORT: String(simulatorPort), GATEWAY_PORT: '0' },
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await untilReady(child, port, logFile);
  return { pid: child.pid ?? 0, port, stop: () => end(child) };
}

async function untilReady(child: ChildProcess, port: number, logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null);
    if (answer?.ok) return;
    await sleep(100);
  }
  await end(child);
  throw new Error(`The service does not start:\n${readFileSync(logFile, 'utf8').slice(-4000)}`);
}

/** Asks a process to end and waits until it has. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
