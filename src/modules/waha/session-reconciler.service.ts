import { Injectable } from '@nestjs/common';
import { atOnce } from '../../common/at-once';
import { SystemDatabase } from '../../platform/database/system-database';
import { Wakeups } from '../../platform/database/wakeups';
import type { WahaSessionInfo } from './client/waha-answers';
import { type ConfiguredSession, SessionConfigs } from './session-configs.service';
import { type Provisioned, SessionProvisioner } from './session-provisioner.service';
import { SessionsRepository } from './sessions.repository';
import { type WahaServer, WahaServers } from './waha-servers.service';
import { WahaErrors } from './waha.errors';

/** Sessions of one server that are mended at once; as many may be restarted at once, which some of it does. */
const AT_ONCE = 5;
/** A server is asked so often what it is, however long a round takes. */
const PROBE_MS = 60_000;
/** Messages that a server refuses are tried anew after so long, doubling to the other. */
const REFUSED_AGAIN_MS = 120_000;
const REFUSED_AGAIN_MAX_MS = 3_600_000;

interface Wanted extends Provisioned, ConfiguredSession {
  desired: 'running' | 'stopped' | 'deleted';
  status: string;
  lane_state: string;
  /** Whether WAHA refuses what it sends. */
  refused: boolean;
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
    private readonly configs: SessionConfigs,
  ) {}

  /** Goes over every server once; answers the failures, one for each server or session that could not be mended. */
  async reconcile(): Promise<Error[]> {
    const servers = await this.servers.all();
    return (await Promise.all(servers.map((server) => this.reconcileServer(server)))).flat();
  }

  /**
   * The same with one server. Never rejects.
   * @param isOver asked between sessions: when it says so the rest is left
   */
  async reconcileServer(server: WahaServer, isOver: () => boolean = () => false): Promise<Error[]> {
    const failures: Error[] = [];
    const attempt = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => {
        failures.push(error as Error);
      });
    // Whether it is there at all is asked beside what may take long.
    const probing = setInterval(() => void this.servers.probe(server).catch(() => undefined), PROBE_MS);
    await attempt(
      this.compare(server, async (wanted, there) => {
        const mend = (session: Wanted) => attempt(this.mend(session, there.get(session.waha_name)));
        await atOnce(wanted, AT_ONCE, mend, isOver);
      }),
    );
    clearInterval(probing);
    return failures;
  }

  private async compare(
    server: WahaServer,
    mend: (wanted: Wanted[], there: Map<string, WahaSessionInfo>) => Promise<void>,
  ): Promise<void> {
    await this.servers.probe(server);
    if (server.refusedFor !== null) throw WahaErrors.refused(server.refusedFor);
    const there = new Map((await this.servers.sessionsOn(server)).map((info) => [info.name, info]));
    await this.system.run('acceptRefused', [server.id, REFUSED_AGAIN_MS, REFUSED_AGAIN_MAX_MS]);
    const wanted = await this.system.run<Omit<Wanted, 'server_id'>>('sessionsOfServer', [server.id]);
    await mend(
      wanted.map((session) => ({ ...session, server_id: server.id })),
      there,
    );
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

  private async mend(session: Wanted, found: WahaSessionInfo | undefined): Promise<void> {
    if (session.desired === 'deleted') return this.provisioner.withdraw(session);
    if (!found) return session.desired === 'running' ? this.provisioner.ensure(session) : undefined;
    const info = (await this.configured(session, found)) ?? found;
    if (info.status !== session.status || isHeldUp(session, info.status))
      await this.sessions.noteState(session.tenant_id, session.id, info);
    if (session.desired === 'running' && info.status === 'STOPPED') await this.act(session, 'start');
    if (session.desired === 'stopped' && info.status !== 'STOPPED') return this.act(session, 'stop');
    if (info.status === 'WORKING') this.wakeups.wake('lanes');
  }

  /** The state that it is in after its configuration was mended; null when it was not. One that is to be stopped is first. */
  private async configured(session: Wanted, { status, config }: WahaSessionInfo): Promise<WahaSessionInfo | null> {
    if (config === undefined || (session.desired === 'stopped' && status !== 'STOPPED')) return null;
    const { client } = await this.servers.byId(session.server_id);
    return this.configs.mend(client, session, config);
  }

  private async act(session: Wanted, action: 'start' | 'stop'): Promise<void> {
    const { client } = await this.servers.byId(session.server_id);
    const info = await client.act(session.waha_name, action);
    if (info) await this.sessions.noteState(session.tenant_id, session.id, info);
  }
}

/**
 * Whether the state is known, and what follows of it did not happen: its lane opened, unless WAHA refuses what it sends, or a
 * restart planned.
 */
const isHeldUp = ({ desired, lane_state: lane, refused, unplanned }: Wanted, status: string): boolean =>
  (status === 'WORKING' && lane === 'parked' && !refused) ||
  (status === 'FAILED' && desired === 'running' && unplanned);
