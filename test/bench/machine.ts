import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const TMPFS = 0x01021994;
const FILE_SYSTEMS: Record<number, string> = {
  0xef53: 'ext4',
  0x9123683e: 'btrfs',
  0x58465342: 'xfs',
  0x794c7630: 'overlay',
};

const typeOf = (folder: string): number => statfsSync(folder).type;

/** What the file system under a folder is called. */
export const fileSystemOf = (folder: string): string =>
  FILE_SYSTEMS[typeOf(folder)] ?? `0x${typeOf(folder).toString(16)}`;

/** A new folder on a disk: a commit must cost what it costs, and in memory it costs nothing. */
export function makeFolderOnDisk(): string {
  const candidates = [os.tmpdir(), '/var/tmp', path.resolve('node_modules/.cache')];
  const base = candidates.find((folder) => isOnDisk(folder));
  if (base === undefined) throw new Error(`None of ${candidates.join(', ')} is on a disk`);
  const folder = mkdtempSync(path.join(base, 'switchboard-bench-'));
  chmodSync(folder, 0o711); // PostgreSQL of a run as root has another account, which must get through
  return folder;
}

function isOnDisk(folder: string): boolean {
  try {
    return typeOf(folder) !== TMPFS;
  } catch {
    return false; // there is no such folder here
  }
}

/** The machine in one line for each fact. */
export function machineFacts(postgresVersion: string, folder: string): [name: string, value: string][] {
  const cpus = os.cpus();
  return [
    ['CPU', `${cpus[0]?.model.trim() ?? 'unknown'}, ${cpus.length} cores`],
    ['Memory', `${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['System', `${os.type()} ${os.release()} ${os.arch()}`],
    ['Node', `${process.version} (V8 ${process.versions.v8})`],
    ['PostgreSQL', `${postgresVersion}, fsync on, synchronous_commit on, data on ${fileSystemOf(folder)}`],
    ['Date', new Date().toISOString().slice(0, 10)],
  ];
}

/** Mebibytes of memory that the process occupies (resident set). */
export function residentMiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
