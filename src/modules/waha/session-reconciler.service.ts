import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { Wakeups } from '../../platform/database/wakeups';
import type { WahaSessionInfo } from './client/waha-answers';
import { type Provisioned, SessionProvisioner } from './session-provisioner.service';
import { SessionsRepository } from './sessions.repository';
import { type WahaServer, WahaServers } from './waha-servers.service';
import { WahaErrors } from './waha.errors';

interface Wanted extends Provisioned {
  desired: 'running' | 'stopped' | 'deleted';
  status: string;
  lane_state: string;
  /** Neither given up, nor is there a time at which it is restarted. */
  unplanned: boolean;
}

/**
 * Desired state is ours: compares the sessions that should exist with those that WAHA has, and mends the difference. A WAHA
 * that lost everything gets it all back; a webhook of a state that never came is made up for. Safe in several processes:
 * every step is harmless when it is done twice. What moves is the SessionMover's, what failed is restarted by the SessionHealer.
 */
@Injectable()
export class SessionReconciler {
  constructor(
    private readonly system: SystemDatabase,
    private readonly servers: WahaServers,
    private readonly provisioner: SessionProvisioner,
    private readonly sessions: SessionsRepository,
    private readonly wakeups: Wakeups,
  ) {}

  /** Goes over every server once; answers the failures, one for each server or session that could not be mended. */
  async reconcile(): Promise<Error[]> {
    const failures: Error[] = [];
    const attempt = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => {
        failures.push(error as Error);
      });
    // Side by side: one that hangs holds up no other.
    await Promise.all((await this.servers.all()).map((server) => attempt(this.reconcileServer(server, attempt))));
    return failures;
  }

  private async reconcileServer(server: WahaServer, attempt: (work: Promise<void>) => Promise<void>): Promise<void> {
    await this.servers.probe(server);
    if (server.refusedFor !== null) throw WahaErrors.refused(server.refusedFor);
    const there = new Map((await server.client.listSessions()).map((info) => [info.name, info]));
    const wanted = await this.system.run<Omit<Wanted, 'server_id'>>('sessionsOfServer', [server.id]);
    for (const session of wanted)
      await attempt(this.mend({ ...session, server_id: server.id }, there.get(session.waha_name)));
    await this.stopStrays(server, [...there.values()]);
  }

  /**
   * Stops what went on elsewhere while this server was away, or was started here by whoever knew no better. It is not deleted:
   * a server that shares the storage may drive that login. @throws when there was any: its state is soon looked at again
   */
  private async stopStrays(server: WahaServer, there: WahaSessionInfo[]): Promise<void> {
    const running = there.filter(({ status }) => status !== 'STOPPED').map(({ name }) => name);
    if (running.length === 0) return;
    const strays = await this.system.run<Pick<Wanted, 'waha_name' | 'desired'>>('strays', [server.id, running]);
    for (const { waha_name: name, desired } of strays)
      await (desired === 'deleted' ? server.client.deleteSession(name) : server.client.act(name, 'stop'));
    if (strays.length > 0) throw new Error(`${strays.length} sessions were running on a server that they have left`);
  }

  private async mend(session: Wanted, info: WahaSessionInfo | undefined): Promise<void> {
    if (session.desired === 'deleted') return this.provisioner.withdraw(session);
    if (!info) return session.desired === 'running' ? this.provisioner.ensure(session) : undefined;
    if (info.status !== session.status || isHeldUp(session, info.status))
      await this.sessions.noteState(session.tenant_id, session.id, info);
    if (session.desired === 'running' && info.status === 'STOPPED') await this.act(session, 'start');
    if (session.desired === 'stopped' && info.status !== 'STOPPED') return this.act(session, 'stop');
    if (info.status === 'WORKING') this.wakeups.wake('lanes');
  }

  private async act(session: Wanted, action: 'start' | 'stop'): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    const info = await client.act(session.waha_name, action);
    if (info) await this.sessions.noteState(session.tenant_id, session.id, info);
  }
}

/** Whether the state is known, and what follows of it did not happen: its lane opened, or a restart planned. */
const isHeldUp = ({ desired, lane_state: lane, unplanned }: Wanted, status: string): boolean =>
  (status === 'WORKING' && lane === 'parked') || (status === 'FAILED' && desired === 'running' && unplanned);
