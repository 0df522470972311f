import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import { webhookUrlOf } from '../../config/our-address';
import { SecretBox } from '../../platform/crypto/secret-box';
import { sessionConfig } from './client/session-config';
import { SessionDirectory } from './session-directory.service';
import { secretContext } from './session-secret';
import { SessionsRepository } from './sessions.repository';
import { WahaServers } from './waha-servers.service';

/** What the provisioner must know of a session. */
export interface Provisioned {
  tenant_id: string;
  id: string;
  server_id: string;
  waha_name: string;
  webhook_secret: string;
}

/** Brings a session into WAHA with our configuration, or out of it. */
@Injectable()
export class SessionProvisioner {
  constructor(
    private readonly config: Config,
    private readonly servers: WahaServers,
    private readonly sessions: SessionsRepository,
    private readonly secrets: SecretBox,
    private readonly directory: SessionDirectory,
  ) {}

  /** Makes sure that WAHA has the session, with our webhook and secret. One that exists is left alone. @throws WahaFailure */
  async ensure(session: Provisioned): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    const secret = this.secrets.open(session.webhook_secret, secretContext(session.id));
    const info = await client.createSession(session.waha_name, sessionConfig(webhookUrlOf(this.config), secret));
    if (info) await this.sessions.noteState(session.tenant_id, session.id, info);
    // Deleted while we were asking: nobody else would ever take it out of WAHA again.
    if (!(await this.sessions.findById(session.tenant_id, session.id))) await client.deleteSession(session.waha_name);
  }

  /** Logs the session out and deletes it in WAHA. @throws WahaFailure */
  async withdraw(session: Provisioned): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    await client.deleteSession(session.waha_name);
    await this.sessions.markGone(session.tenant_id, session.id);
  }

  /** Look-ups remembered of this session hold no longer. */
  forget(tenantId: string, wahaName: string): void {
    this.directory.forget(tenantId, wahaName);
  }
}
