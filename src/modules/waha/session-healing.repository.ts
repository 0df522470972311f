import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { TenantDatabase } from '../../platform/database/tenant-database';

/** A session with a trouble. */
export interface TroubledSession {
  tenant_id: string;
  id: string;
  server_id: string;
}

/** A session that this process is to restart now; nobody else does until the call must have ended. */
export interface DueRestart extends TroubledSession {
  waha_name: string;
  /** `deaf`, or `ok` for one that failed. */
  health: 'ok' | 'deaf';
  /** Restarts in a row, with this one. */
  restart_attempts: number;
}

/** Beyond the time-out of a call: for what comes after it. */
const MARGIN_MS = 2_000;

/** Decides, across tenants, which sessions are deaf, restarted or given up. Every decision is made once, by one worker. */
@Injectable()
export class SessionHealingRepository {
  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly db: TenantDatabase,
  ) {}

  /** Finds sessions that have become deaf and notes it; their first restart is due at once. */
  findDeaf(): Promise<TroubledSession[]> {
    const { SESSION_DEAF_AFTER_S: afterS, SESSION_DEAF_MESSAGES: messages } = this.config;
    return this.system.run<TroubledSession>('findDeaf', [afterS * 1_000, messages]);
  }

  /** Forgets the restarts of what has worked for long enough since. */
  async forgetRestarts(): Promise<void> {
    await this.system.run('forgetRestarts', [this.config.SESSION_STABLE_S * 1_000]);
  }

  /** Gives up what has had all its restarts: parked if it failed, deaf for good if it is deaf. */
  giveUp(): Promise<(TroubledSession & { health: 'parked' | 'deaf' })[]> {
    const { SESSION_RESTARTS: failed, SESSION_DEAF_RESTARTS: deaf } = this.config;
    return this.system.run('giveUpRestarts', [failed, deaf]);
  }

  /**
   * Takes restarts that are due, of each server as many as may be under way over all processes, and counts them: one that is not
   * made, as the process dies, comes due again.
   */
  take(): Promise<DueRestart[]> {
    const {
      SESSION_RESTART_PAUSE_MS: pauseMs,
      SESSION_RESTART_PAUSE_MAX_MS: maxMs,
      SESSION_DEAF_AFTER_S: deafS,
      WAHA_TIMEOUT_MS: timeoutMs,
      SESSION_RESTARTS: failed,
      SESSION_DEAF_RESTARTS: deaf,
      SESSION_RESTARTS_AT_ONCE: most,
    } = this.config;
    const params = [most, pauseMs, maxMs, deafS * 1_000, timeoutMs + MARGIN_MS, failed, deaf];
    return this.system.transaction(async (run) => {
      await run('lockRestarts', []);
      return run<DueRestart>('takeRestarts', params);
    });
  }

  /** The call has ended: another of its server may be made. */
  async ended({ tenant_id: tenantId, id, restart_attempts: attempts }: DueRestart): Promise<void> {
    await this.db.query(
      tenantId,
      `update sessions set restarting_until = null where tenant_id = $1 and id = $2 and restart_attempts = $3`,
      [tenantId, id, attempts],
    );
  }

  /** The restart never reached WAHA: it does not count. Nothing changes if the session was decided about since. */
  async takeBack({ tenant_id: tenantId, id, restart_attempts: attempts }: DueRestart): Promise<void> {
    await this.db.query(
      tenantId,
      `update sessions set restart_attempts = restart_attempts - 1, restarts = restarts - 1
        where tenant_id = $1 and id = $2 and restart_attempts = $3 and next_restart_at is not null`,
      [tenantId, id, attempts],
    );
  }
}
