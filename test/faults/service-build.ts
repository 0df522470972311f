import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { presentRun, rootFolder } from '../support/run';
import { eventually } from '../support/wait';

const BUILD_TIMEOUT_MS = 120_000;
const ENTRY = path.join('dist', 'src', 'main.js');
/** What the service ends with when its configuration is wrong. */
const EXIT_CONFIG = 78;

/** Where processes of the service find their code compiled to V8's own form, as those of `npm start` do: each starts sooner. */
export const compileCache = (): string => path.join(presentRun(), 'compiled');

/**
 * The compiled service, as `npm start` builds it: once for the whole run of Jest, in a copy of the run's own, so that a build
 * made meanwhile does not pull the files from under processes that come and go. Answers the path of its main file.
 */
export async function builtService(): Promise<string> {
  const folder = path.join(presentRun(), 'service');
  const entry = path.join(folder, ENTRY);
  await locked(`${folder}.lock`, async () => {
    if (!existsSync(entry)) await buildInto(folder);
  });
  return entry;
}

async function buildInto(folder: string): Promise<void> {
  const builder = path.join(rootFolder, 'tools', 'build.mjs');
  await promisify(execFile)(process.execPath, [builder], { timeout: BUILD_TIMEOUT_MS });
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  cpSync(path.join(rootFolder, 'dist'), path.join(draft, 'dist'), { recursive: true });
  cpSync(path.join(rootFolder, 'package.json'), path.join(draft, 'package.json'));
  cpSync(path.join(rootFolder, 'data'), path.join(draft, 'data'), { recursive: true });
  symlinkSync(path.join(rootFolder, 'node_modules'), path.join(draft, 'node_modules'));
  renameSync(draft, folder);
  await fillCompileCache(path.join(folder, ENTRY));
}

/** A process that is killed writes nothing into it; one that its configuration ends has loaded everything, and does. */
async function fillCompileCache(entry: string): Promise<void> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', NODE_COMPILE_CACHE: compileCache() };
  await promisify(execFile)(process.execPath, [entry], { cwd: tmpdir(), env }).catch((error: { code?: unknown }) => {
    if (error.code !== EXIT_CONFIG) throw error;
  });
}

/** Jest's workers are processes of their own: a folder is the lock between them. */
async function locked(lock: string, work: () => Promise<void>): Promise<void> {
  const take = () => {
    mkdirSync(lock);
  };
  await eventually(take, { timeoutMs: BUILD_TIMEOUT_MS, everyMs: 100, what: 'the build of another worker' });
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
