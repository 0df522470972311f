import { Injectable, Logger } from '@nestjs/common';
import { WahaFailure } from './client/waha-failure';
import { type DueRestart, SessionHealingRepository } from './session-healing.repository';
import { SessionsRepository } from './sessions.repository';
import { WahaMetrics } from './waha.metrics';
import { WahaServers } from './waha-servers.service';

/**
 * Heals sessions by restarting them in WAHA: what failed, after pauses that double, and what is deaf, that is reported WORKING
 * while nothing is confirmed or received. Each restart is on record before it is made, so that a process that dies with it makes
 * room for another. Messages that were sent are not sent again. A session that waits to be scanned is left alone.
 */
@Injectable()
export class SessionHealer {
  private readonly logger = new Logger(SessionHealer.name);
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly healing: SessionHealingRepository,
    private readonly sessions: SessionsRepository,
    private readonly servers: WahaServers,
    private readonly metrics: WahaMetrics,
  ) {}

  /** Looks for sessions that are deaf. */
  async listen(): Promise<void> {
    for (const { id } of await this.healing.findDeaf()) {
      this.metrics.befell('deaf');
      this.logger.warn({ msg: 'session is deaf', session_id: id });
    }
  }

  /**
   * Gives up what has been restarted often enough, and begins the restarts that are due, of each server so many at once. Does not
   * wait for them.
   */
  async heal(): Promise<void> {
    await this.healing.forgetRestarts();
    for (const { id, health } of await this.healing.giveUp()) {
      this.metrics.befell(health === 'parked' ? 'given_up_failed' : 'given_up_deaf');
      this.logger.error({ msg: 'session given up after all its restarts', session_id: id, health });
    }
    for (const due of await this.healing.take()) {
      const restart = this.restart(due).finally(() => this.underWay.delete(restart));
      this.underWay.add(restart);
    }
  }

  /** Resolves when no restart is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  /** Never rejects: what did not work is tried again when it comes due. */
  private async restart(due: DueRestart): Promise<void> {
    const { tenant_id: tenantId, id, health, restart_attempts: attempt } = due;
    this.metrics.befell(health === 'deaf' ? 'restarted_deaf' : 'restarted_failed');
    this.logger.warn({ msg: 'session is restarted', session_id: id, attempt, health });
    try {
      const { client } = await this.servers.byId(due.server_id);
      const info = await client.act(due.waha_name, 'restart');
      if (info) await this.sessions.noteState(tenantId, id, info);
      await this.healing.ended(due);
    } catch (error) {
      await this.healing.ended(due).catch(() => undefined); // else it counts until its time is over
      this.logger.warn({ msg: 'session not restarted', session_id: id, attempt, err: error });
      if (error instanceof WahaFailure && error.kind === 'unreachable')
        await this.healing.takeBack(due).catch(() => undefined);
    }
  }
}
