import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Wakeups } from '../../platform/database/wakeups';
import { Periodic } from '../../platform/loops/periodic';
import { SessionReconciler } from './session-reconciler.service';
import { WahaServers } from './waha-servers.service';

const EVERY_MS = 60_000;
/** After a round in which something could not be mended. */
const AGAIN_MS = 5_000;
/** After a session was heard to have stopped; what comes meanwhile is seen to in the same round. */
const SOON_MS = 500;
/** So soon a server that was added or removed in another process is known here. */
const LOOK_MS = 5_000;

/** The rounds over one server. */
interface Rounds {
  loop: Periodic;
  again: NodeJS.Timeout | undefined;
}

/**
 * Reconciles at start and every minute, in worker processes; soon again where something could not be mended, or a session was
 * heard to have stopped. Each server has rounds of its own: one that hangs holds up no other.
 */
@Injectable()
export class ReconcilerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcilerLoop.name);
  private readonly looks: Periodic;
  private readonly rounds = new Map<string, Rounds>();
  private soon: NodeJS.Timeout | undefined;
  private stopListening = (): void => undefined;
  private stopping = false;

  constructor(
    private readonly config: Config,
    private readonly servers: WahaServers,
    private readonly reconciler: SessionReconciler,
    private readonly wakeups: Wakeups,
  ) {
    this.looks = this.periodic(LOOK_MS, () => this.look());
  }

  onApplicationBootstrap(): void {
    if (!this.config.works) return;
    this.looks.start();
    this.stopListening = this.wakeups.on('sessions', () => this.lookSoon());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.stopListening();
    clearTimeout(this.soon);
    await this.looks.stop();
    await Promise.all([...this.rounds.keys()].map((id) => this.end(id)));
  }

  /** Begins the rounds of servers that are new, and ends those of servers that are gone. */
  private async look(): Promise<void> {
    const there = new Set((await this.servers.all()).map(({ id }) => id));
    for (const id of there) if (!this.rounds.has(id)) this.begin(id);
    for (const id of this.rounds.keys()) if (!there.has(id)) void this.end(id);
  }

  private begin(id: string): void {
    const loop = this.periodic(EVERY_MS, () => this.round(id));
    this.rounds.set(id, { loop, again: undefined });
    loop.start();
  }

  private async end(id: string): Promise<void> {
    const rounds = this.rounds.get(id);
    this.rounds.delete(id);
    clearTimeout(rounds?.again);
    await rounds?.loop.stop();
  }

  private async round(id: string): Promise<void> {
    const server = await this.servers.byId(id);
    const failures = await this.reconciler.reconcileServer(server, () => this.stopping);
    for (const failure of failures) this.logger.warn({ msg: 'not reconciled', server_id: id, err: failure });
    const rounds = this.rounds.get(id);
    if (failures.length === 0 || !rounds) return;
    clearTimeout(rounds.again);
    rounds.again = setTimeout(() => rounds.loop.nudge(), AGAIN_MS).unref();
  }

  private lookSoon(): void {
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      for (const { loop } of this.rounds.values()) loop.nudge();
    }, SOON_MS).unref();
  }

  private periodic(everyMs: number, run: () => Promise<void>): Periodic {
    return new Periodic({
      everyMs,
      run,
      onError: (error) => this.logger.error({ msg: 'reconciler failed', err: error }),
    });
  }
}
