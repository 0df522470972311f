import { Injectable, Logger } from '@nestjs/common';
import { Wakeups } from '../../platform/database/wakeups';
import type { WahaSessionInfo } from './client/waha-answers';
import type { WahaClient } from './client/waha-client';
import { SessionConfigs } from './session-configs.service';
import { SessionDirectory } from './session-directory.service';
import { SessionsRepository } from './sessions.repository';
import { WahaServers } from './waha-servers.service';

/** What the provisioner must know of a session. */
export interface Provisioned {
  tenant_id: string;
  id: string;
  server_id: string;
  waha_name: string;
  webhook_secret: string;
  /** Where it must be stopped first; null when it is not moving. */
  leaving_server_id?: string | null;
}

/** Brings a session into WAHA with our configuration, or out of it. */
@Injectable()
export class SessionProvisioner {
  private readonly logger = new Logger(SessionProvisioner.name);

  constructor(
    private readonly servers: WahaServers,
    private readonly sessions: SessionsRepository,
    private readonly configs: SessionConfigs,
    private readonly directory: SessionDirectory,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Makes sure that WAHA has the session, with our webhook and secret. One that exists is left alone. That WAHA knows nothing of it is on
   * record before it is made: whoever dies in between has not made it look as if it had always been there. @throws WahaFailure
   */
  async ensure(session: Provisioned): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    const info = (await client.getSession(session.waha_name)) ?? (await this.make(session, client));
    if (info) await this.sessions.noteState(session.tenant_id, session.id, info);
    await this.undo(session, client);
  }

  private async make(session: Provisioned, client: WahaClient): Promise<WahaSessionInfo | null> {
    await this.sessions.noteForgotten(session.tenant_id, session.id);
    const config = this.configs.wanted(session);
    const { info, made } = await client.createSession(session.waha_name, config);
    if (made) await this.configs.wasPut(session, config, info);
    return info;
  }

  /** The same, and it runs then. @throws WahaFailure */
  async start(session: Provisioned): Promise<void> {
    await this.ensure(session);
    const { client } = await this.servers.byId(session.server_id);
    const info = await client.getSession(session.waha_name);
    if (info?.status !== 'STOPPED') return;
    const started = await client.act(session.waha_name, 'start');
    if (started) await this.sessions.noteState(session.tenant_id, session.id, started);
    await this.undo(session, client);
  }

  /** Does it, making the session first where that is needed, and notes the state that it is in then. @throws WahaFailure */
  async act(session: Provisioned, action: 'start' | 'stop' | 'restart' | 'logout'): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    if (action !== 'stop') await this.ensure(session);
    if (action === 'logout') await this.sessions.noteForgotten(session.tenant_id, session.id);
    const info = await client.act(session.waha_name, action);
    if (action !== 'stop') await this.undo(session, client);
    if (!info) return;
    await this.sessions.noteState(session.tenant_id, session.id, info);
    if (info.status === 'WORKING') this.wakeups.wake('lanes');
  }

  /** Asks the server again what it is, after it could not be reached, so that others know of it. Never rejects. */
  async recheck(session: Provisioned): Promise<void> {
    await this.servers.probe(await this.servers.byId(session.server_id)).catch(() => undefined);
  }

  /** Logs the session out and deletes it in WAHA. @throws WahaFailure */
  async withdraw(session: Provisioned): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    if (session.leaving_server_id) await this.withdrawFrom(session.leaving_server_id, session.waha_name);
    await client.deleteSession(session.waha_name);
    await this.sessions.markGone(session.tenant_id, session.id);
  }

  /** From the server that it is leaving: if that is away now, the reconciler does it when it comes back. */
  private async withdrawFrom(serverId: string, name: string): Promise<void> {
    try {
      await (await this.servers.byId(serverId)).client.deleteSession(name);
    } catch (error) {
      this.logger.warn({ msg: 'not deleted where it was leaving', waha_name: name, err: error });
    }
  }

  /** What was decided about it while we were asking holds: nobody else would take it out of this WAHA again, or stop it there. */
  private async undo(
    { tenant_id: tenantId, id, server_id: at, waha_name: name }: Provisioned,
    client: WahaClient,
  ): Promise<void> {
    const now = await this.sessions.findById(tenantId, id);
    if (!now) await client.deleteSession(name);
    else if (now.server_id !== at || now.leaving_server_id !== null) await client.act(name, 'stop');
  }

  /** Look-ups remembered of this session hold no longer. */
  forget(tenantId: string, wahaName: string): void {
    this.directory.forget(tenantId, wahaName);
  }
}
