import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from './embedded.error';

/** Whether a process of this number exists, whoever owns it; a zombie counts as one. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * The arguments of a running process, joined by single blanks; '' when it is gone or a zombie; undefined where the
 * platform does not tell (Windows).
 */
export async function commandLine(pid: number): Promise<string | undefined> {
  switch (process.platform) {
    case 'linux':
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
    case 'win32':
      return undefined;
    default:
      return promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
        ({ stdout }) => stdout.trim(),
        () => '',
      );
  }
}

/** Whether the process still runs: a zombie, which nobody has collected yet, does not. */
export async function isRunning(pid: number): Promise<boolean> {
  return isAlive(pid) && (await commandLine(pid)) !== '';
}
