import { execFile, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cleanup } from '../cleanup';
import { end } from '../programs';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** A contender that this machine does not have: the others are measured without it. */
export class NotInstalledError extends Error {}

/** Where a program is, in PATH or where Debian puts what only root is thought to start. @throws NotInstalledError */
export function programNamed(name: string): string {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin'];
  const file = folders.map((folder) => path.join(folder, name)).find(isProgram);
  if (!file) throw new NotInstalledError(`there is no ${name} here (apt-get install --no-install-recommends ${name})`);
  return file;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first number with dots that the program says when it is asked for its version, however it ends. */
export async function versionOf(program: string, ...args: string[]): Promise<string> {
  const said = await promisify(execFile)(program, args).catch((error: { stdout?: string; stderr?: string }) => error);
  return /\d+(\.\d+)+/.exec(`${said.stdout ?? ''}${said.stderr ?? ''}`)?.[0] ?? 'unknown';
}

/**
 * Starts a program that stays in the foreground and listens on the port; gives its process id.
 * @throws Error with its log when it ends instead
 */
export async function startNative(
  cleanup: Cleanup,
  [program = '', ...args]: string[],
  { port, logFile }: { port: number; logFile: string },
): Promise<number> {
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  cleanup.add(() => end(child));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    if (await accepts(port)) return child.pid ?? 0;
    await sleep(POLL_MS);
  }
  throw new Error(`${program} does not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    const told = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', told(true)).once('error', told(false));
  });
}
