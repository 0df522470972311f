import { readdirSync, readFileSync } from 'node:fs';

/** Of Linux, whatever the kernel's own clock (getconf CLK_TCK). */
const TICKS_PER_SECOND = 100;
const US_PER_TICK = 1_000_000 / TICKS_PER_SECOND;

/** Whether this system tells how much CPU another process has used. */
export const cpuIsKnown = process.platform === 'linux';

/** The fields of /proc/<pid>/stat after the name, which may hold spaces: state, parent, …; null when it has ended. */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

const ticks = (stat: string[], ...fields: number[]): number =>
  fields.reduce((sum, field) => sum + Number(stat[field - 3]), 0); // proc(5) counts from 1, and two fields are cut off

/** Microseconds of CPU, user and system, that the process has used. */
export function cpuUsOf(pid: number): number {
  const stat = statOf(pid);
  return stat ? ticks(stat, 14, 15) * US_PER_TICK : 0;
}

/** Microseconds of CPU of a process with its children, those that have ended included: a PostgreSQL by its postmaster. */
export function cpuUsOfFamily(pid: number): number {
  const own = statOf(pid);
  if (!own) return 0;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== null && Number(stat[1]) === pid) as string[][];
  const living = children.reduce((sum, stat) => sum + ticks(stat, 14, 15), 0);
  return (ticks(own, 14, 15, 16, 17) + living) * US_PER_TICK;
}

/** Microseconds of CPU of the children of this process that have ended and of theirs: of what is started and awaited. */
export function cpuUsOfEnded(): number {
  const own = statOf(process.pid);
  return own ? ticks(own, 16, 17) * US_PER_TICK : 0;
}

/** Microseconds of CPU that the machine has used for anything, or could not have because its host gave it to others. */
export function cpuUsOfMachine(): number {
  if (!cpuIsKnown) return 0;
  const [, user, nice, system, , , irq, softirq, steal] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  ).split(/\s+/);
  return [user, nice, system, irq, softirq, steal].reduce((sum, value) => sum + Number(value), 0) * US_PER_TICK;
}
