import { sessionDoesNotExist, statusNotExpected, WahaError } from './waha-error';
import type { Session, SessionStatus } from './session';
import { Timers } from './timers';
import type { SimulatorTiming } from './timing';

/** The sessions of this WAHA, by name. */
export class SessionRegistry {
  private readonly sessions = new Map<string, Session>();
  private readonly timers = new Timers();

  constructor(private readonly timing: SimulatorTiming) {}

  /** Adds a session under its name. */
  add(session: Session): void {
    this.sessions.set(session.name, session);
  }

  /** The session of that name. */
  find(name: string): Session | undefined {
    return this.sessions.get(name);
  }

  /** Whether this very session is still known, not another of the same name. */
  has(session: Session): boolean {
    return this.sessions.get(session.name) === session;
  }

  /** Removes it; nothing happens if there is none. */
  remove(name: string): void {
    const session = this.sessions.get(name);
    this.sessions.delete(name);
    session?.dispose();
  }

  /** All sessions in the order in which they were made. */
  list(): Session[] {
    return [...this.sessions.values()];
  }

  /** Removes them all. */
  clear(): void {
    for (const name of [...this.sessions.keys()]) this.remove(name);
  }

  /** Ends all timers. */
  close(): void {
    this.timers.close();
    for (const session of this.sessions.values()) session.dispose();
  }

  /**
   * The session once it is in that status. As WAHA does, waits for it first (5 s if the session does not run, 10 s if it
   * is in another status); rejects with a 422 WahaError.
   */
  async inStatus(name: string, expected: SessionStatus): Promise<Session> {
    const session = this.sessions.get(name);
    if (session === undefined) throw sessionDoesNotExist(name);
    if (session.status === expected) return session;
    const waitMs = session.status === 'STOPPED' ? this.timing.statusWaitStopped : this.timing.statusWaitNotReady;
    const reached = await this.reaches(session, (status) => status === expected, waitMs);
    if (!this.has(session)) throw sessionDoesNotExist(name);
    if (!reached) throw statusNotExpected(name, session.status, [expected]);
    return session;
  }

  /** Waits, without limit, until a session has left STARTING. */
  async afterStarting(session: Session): Promise<void> {
    await this.reaches(session, (status) => status !== 'STARTING', null);
  }

  private reaches(
    session: Session,
    wanted: (status: SessionStatus) => boolean,
    waitMs: number | null,
  ): Promise<boolean> {
    if (wanted(session.status)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (reached: boolean) => {
        unwatch();
        cancel?.();
        resolve(reached);
      };
      const cancel = waitMs === null ? null : this.timers.after(waitMs, () => settle(false));
      const unwatch = session.watch(() => {
        if (wanted(session.status)) settle(true);
        else if (!this.has(session)) settle(false);
      });
    });
  }
}

/** A session of that name, or the given error. */
export function requireSession(registry: SessionRegistry, name: string, otherwise: () => WahaError): Session {
  const session = registry.find(name);
  if (session === undefined) throw otherwise();
  return session;
}
