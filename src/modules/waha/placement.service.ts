import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { WahaErrors } from './waha.errors';
import { WahaServers } from './waha-servers.service';

/** Which servers come into question. */
export interface PlaceWanted {
  /** Of this storage group only; null: of any. */
  group: string | null;
  /** Not this one; null: any. */
  except: string | null;
}

const ANY: PlaceWanted = { group: null, except: null };

/**
 * Decides which server a session goes to: the least full one that is up and not being drained. Who places one holds a lock until
 * its transaction ends, so that each counts what those before it have placed: of two that want the last place one gets it.
 */
@Injectable()
export class Placement {
  constructor(
    private readonly system: SystemDatabase,
    private readonly servers: WahaServers,
  ) {}

  /** Before a transaction: asks the servers themselves where none is known to be up. @throws WAHA_UNAVAILABLE */
  async prepare(): Promise<void> {
    const active = (await this.servers.all()).filter(({ state }) => state === 'active');
    if (active.some(({ status }) => status === 'up')) return;
    await Promise.allSettled(active.map((server) => this.servers.probe(server)));
    if (active.some(({ status }) => status === 'up')) return;
    const refused = active.find(({ status, refusedFor }) => status === 'refused' && refusedFor !== null);
    if (refused?.refusedFor) throw WahaErrors.refused(refused.refusedFor);
    throw WahaErrors.unavailable();
  }

  /** The server for a session that is placed in this transaction. @throws WAHA_POOL_FULL */
  async choose(tx: TenantTransaction, wanted: PlaceWanted = ANY): Promise<string> {
    // Held by the transaction itself: if it breaks off, its session is not there either.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('waha placement', 0))`);
    // On another connection, for only the system sees the sessions of all tenants: a new snapshot, taken under the lock.
    const id = await this.leastFull(wanted);
    if (id === null) throw WahaErrors.poolFull();
    return id;
  }

  /** The least full of them now; null when there is none with room. Who acts on it holds the lock. */
  async leastFull({ group, except }: PlaceWanted): Promise<string | null> {
    const [row] = await this.system.run<{ id: string }>('leastFull', [group, except]);
    return row?.id ?? null;
  }
}
