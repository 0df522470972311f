import { availableParallelism } from 'node:os';
import { compare, hash } from 'bcrypt';
import { WaitingLine } from './waiting-line';

/** All of a password that bcrypt looks at. */
export const MAX_PASSWORD_BYTES = 72;

/** libuv's pool has four threads, which files and host names need too: a hash holds one for 170 ms at 12 rounds. */
const MAX_THREADS = 3;
/** One processor stays free for everything else. */
const MAX_RUNNING = Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1));
const MAX_WAITING = 100;

/** What comparing a password with several hashes gave. */
export interface Comparison {
  /** In the order of the hashes. */
  matches: boolean[];
  /** The work of it, without the waiting in line. */
  workMs: number;
}

/**
 * bcrypt, off the event loop, only so many at once: beyond the waiting line callers get RATE_LIMITED. One per process,
 * because the processors are shared.
 */
export class PasswordHasher {
  private readonly line = new WaitingLine(MAX_RUNNING, MAX_WAITING);
  /** A well-formed hash that no password has been found for: comparing with it takes as long as with a real one. */
  private readonly nobodys: string;

  /** @param rounds cost of bcrypt, 4 to 31: 2^rounds iterations. */
  constructor(private readonly rounds: number) {
    this.nobodys = `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
  }

  /** The hash to keep of a password of at most 72 bytes: bcrypt would ignore the rest. */
  hash(password: string): Promise<string> {
    if (isTooLong(password)) throw new Error('bcrypt takes at most 72 bytes');
    return this.line.run(() => hash(password, this.rounds));
  }

  /** Whether the password is the one; takes equally long where there is nobody (null) to compare with. */
  async matches(password: string, kept: string | null): Promise<boolean> {
    const { matches } = await this.compare(password, kept === null ? [] : [kept]);
    return matches[0] ?? false;
  }

  /** Compares with each of the hashes, after one wait in line; with none it takes as long as with one. */
  compare(password: string, kept: string[]): Promise<Comparison> {
    return this.line.run(async () => {
      const start = performance.now();
      const comparable = !isTooLong(password);
      const matches: boolean[] = [];
      for (const one of kept) matches.push((await compare(password, comparable ? one : this.nobodys)) && comparable);
      if (kept.length === 0) await compare(password, this.nobodys);
      return { matches, workMs: performance.now() - start };
    });
  }
}

const isTooLong = (password: string): boolean => Buffer.byteLength(password) > MAX_PASSWORD_BYTES;
