import { Injectable, Logger } from '@nestjs/common';
import { KeyedSlots } from '../../platform/loops/keyed-slots';
import { WahaFailure } from './client/waha-failure';
import { SessionProvisioner } from './session-provisioner.service';
import { type DueMove, serverAsked, SessionMovesRepository } from './session-moves.repository';
import { WahaServers } from './waha-servers.service';

/** Moves that one process has on their way at once at one server. */
const AT_ONCE = 10;
const AGAIN_MS = 2_000;

/**
 * Moves sessions off servers that are drained or dead. A move is on record first; then the old server stops the session and
 * confirms it, or has been dead for long enough; only then the new one starts it: never do two drive one session. Any step may
 * be done twice, or by another process: what dies comes due again.
 */
@Injectable()
export class SessionMover {
  private readonly logger = new Logger(SessionMover.name);
  private readonly slots = new KeyedSlots(AT_ONCE);

  constructor(
    private readonly moves: SessionMovesRepository,
    private readonly servers: WahaServers,
    private readonly provisioner: SessionProvisioner,
  ) {}

  /** Plans what can move, marks what cannot, and begins the moves that are due. Does not wait for them. */
  async move(): Promise<void> {
    if (await this.moves.anyToLeave()) {
      await this.plan();
      await this.moves.markStuck();
    }
    await this.moves.unmark();
    for (const due of await this.moves.take(this.slots.params))
      this.slots.run(
        serverAsked(due),
        this.step(due).catch((error: unknown) => this.notYet(due, error)),
      );
  }

  /** Resolves when no move is on its way in this process. */
  async settled(): Promise<void> {
    await this.slots.settled();
  }

  private async plan(): Promise<void> {
    const full = new Set<string>();
    for (const session of await this.moves.movable()) {
      // A server without a place to go to is not asked about for each of its sessions.
      if (full.has(session.server_id)) continue;
      if (await this.moves.plan(session)) this.logger.log({ msg: 'session moves', session_id: session.id });
      else full.add(session.server_id);
    }
  }

  private async step(due: DueMove): Promise<void> {
    if (due.leaving_server_id !== null) {
      await this.stopThere(due, due.leaving_server_id);
      if (!(await this.moves.letGo(due))) return;
    }
    if (due.desired === 'running') await this.provisioner.start(due);
    await this.moves.finish(due);
    this.logger.log({ msg: 'session moved', session_id: due.id });
  }

  /** Resolves when nothing of it runs there, as far as that server can be asked. @throws WahaFailure when that is not certain */
  private async stopThere({ waha_name: name, move_kind: kind, dead, id }: DueMove, serverId: string): Promise<void> {
    const { client } = await this.servers.byId(serverId);
    try {
      // Deleting takes the login away, also from a server that shares the storage.
      if (kind === 'scan') return await client.deleteSession(name);
      await client.act(name, 'stop');
      const info = await client.getSession(name);
      if (info && info.status !== 'STOPPED') throw new Error(`it is ${info.status} there after it was stopped`);
    } catch (error) {
      // Of one that answers after all it is not certain that nothing of the session runs there.
      if (!dead || !(error instanceof WahaFailure) || error.kind === 'answered') throw error;
      this.logger.warn({ msg: 'session leaves a dead server', session_id: id, err: error });
    }
  }

  private async notYet(due: DueMove, error: unknown): Promise<void> {
    this.logger.warn({ msg: 'session not moved yet', session_id: due.id, err: error });
    await this.moves.putOff(due, AGAIN_MS).catch(() => undefined); // else it comes due by itself
  }
}
