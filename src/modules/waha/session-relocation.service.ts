import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Placement } from './placement.service';
import { SessionMovesRepository } from './session-moves.repository';
import type { Recording, SessionRow } from './sessions.repository';
import { WahaErrors } from './waha.errors';

/** Gives a session whose login cannot follow it to another server, where it is scanned anew. */
@Injectable()
export class SessionRelocation {
  constructor(
    private readonly db: TenantDatabase,
    private readonly placement: Placement,
    private readonly moves: SessionMovesRepository,
  ) {}

  /**
   * On record with its move; the SessionMover does the rest: the old server forgets it first, or is dead. Its messages wait.
   * @throws WAHA_UNAVAILABLE, WAHA_POOL_FULL, SESSION_NOT_READY when it is on its way already
   */
  async relocate(tenantId: string, { id, server_id: from }: SessionRow, record: Recording): Promise<void> {
    await this.placement.prepare();
    await this.db.transaction(tenantId, async (tx) => {
      const to = await this.placement.choose(tx, { group: null, except: from });
      if (!(await this.moves.planScan(tx, tenantId, id, to))) throw WahaErrors.notReady('moving');
      await record(tx);
    });
  }
}
