import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config';
import { webhookUrlOf } from '../../config/our-address';
import { SecretBox } from '../../platform/crypto/secret-box';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { atTheirAddress, fingerprintOf, hasOurs, withOurs } from './client/own-config';
import { sessionConfig, type WahaSessionConfig } from './client/session-config';
import { isObject, type WahaSessionInfo } from './client/waha-answers';
import type { WahaClient } from './client/waha-client';
import { WahaFailure } from './client/waha-failure';
import { secretContext } from './session-secret';

/** A session whose configuration is compared. */
export interface ConfiguredSession {
  tenant_id: string;
  id: string;
  waha_name: string;
  webhook_secret: string;
  /** Fingerprint of what was last put into WAHA; null when nothing was, as far as we know. */
  config_put: string | null;
  /** Fingerprint of what WAHA made of it; null while it has not said so. */
  config_seen: string | null;
}

/** A session is configured, and restarted by it, at most so often, whoever disagrees with us about what it should be. */
const AGAIN_MS = 300_000;

/**
 * Keeps our part of a session's configuration in WAHA as it should be: one PUT for each real change, since each restarts the
 * session. What WAHA makes of what we put is remembered: where it says it in another way, or knows less than we do, that is
 * no change. Of several processes one puts it.
 */
@Injectable()
export class SessionConfigs {
  private readonly logger = new Logger(SessionConfigs.name);

  constructor(
    private readonly config: Config,
    private readonly db: TenantDatabase,
    private readonly secrets: SecretBox,
  ) {}

  /** As it should be. */
  wanted({ id, webhook_secret: sealed }: Pick<ConfiguredSession, 'id' | 'webhook_secret'>): WahaSessionConfig {
    return sessionConfig(webhookUrlOf(this.config), this.secrets.open(sealed, secretContext(id)));
  }

  /** WAHA has it, with this configuration. What it made of that says its answer; where that does not, the next look does. */
  async wasPut(
    { tenant_id: tenantId, id }: Pick<ConfiguredSession, 'tenant_id' | 'id'>,
    ours: WahaSessionConfig,
    answer: WahaSessionInfo | null,
  ): Promise<void> {
    const seen = isObject(answer?.config) ? fingerprintOf(answer.config, ours) : null;
    await this.db.query(
      tenantId,
      `update sessions set config_put = $3, config_seen = $4 where tenant_id = $1 and id = $2`,
      [tenantId, id, fingerprintOf(ours, ours), seen],
    );
  }

  /**
   * Puts it into WAHA if that has another one, `theirs`.
   * @returns the state that the session is in then; null when nothing was put
   * @throws WahaFailure
   */
  async mend(client: WahaClient, session: ConfiguredSession, theirs: unknown): Promise<WahaSessionInfo | null> {
    const wanted = this.wanted(session);
    // Without an address that somebody has set, each process takes its own for it: none of them is worth a restart.
    const ours = this.config.WAHA_WEBHOOK_URL === undefined ? atTheirAddress(theirs, wanted) : wanted;
    if ((await this.isWhatCameOfIt(session, theirs, ours)) || hasOurs(theirs, ours)) return null;
    if (!(await this.claim(session))) return null;
    this.logger.log({ msg: 'session is configured anew', session_id: session.id });
    try {
      const info = await client.configureSession(session.waha_name, withOurs(theirs, ours));
      await this.wasPut(session, ours, info);
      return info;
    } catch (error) {
      if (error instanceof WahaFailure && error.kind === 'unreachable') await this.letGo(session);
      throw error;
    }
  }

  /** Whether this is what WAHA made of what we put. Where its answer did not say what that is, the first look after it does. */
  private async isWhatCameOfIt(
    { tenant_id: tenantId, id, config_put: put, config_seen: seen }: ConfiguredSession,
    theirs: unknown,
    ours: WahaSessionConfig,
  ): Promise<boolean> {
    if (put !== fingerprintOf(ours, ours)) return false;
    const now = fingerprintOf(theirs, ours);
    if (seen !== null) return seen === now;
    await this.db.query(
      tenantId,
      `update sessions set config_seen = $4 where tenant_id = $1 and id = $2 and config_put = $3 and config_seen is null`,
      [tenantId, id, put, now],
    );
    return true;
  }

  /** Whether it is this process that puts it, and long enough since somebody did. */
  private async claim({ tenant_id: tenantId, id }: ConfiguredSession): Promise<boolean> {
    const claimed = await this.db.query(
      tenantId,
      `update sessions set config_at = clock_timestamp() where tenant_id = $1 and id = $2
        and (config_at is null or config_at < clock_timestamp() - $3::float8 * interval '1 ms') returning id`,
      [tenantId, id, AGAIN_MS],
    );
    return claimed.length > 0;
  }

  /** It never reached WAHA. */
  private async letGo({ tenant_id: tenantId, id }: ConfiguredSession): Promise<void> {
    await this.db.query(tenantId, `update sessions set config_at = null where tenant_id = $1 and id = $2`, [
      tenantId,
      id,
    ]);
  }
}
