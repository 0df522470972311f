import { Injectable } from '@nestjs/common';
import { EventBus } from '../../platform/events/domain-events';
import { TenantPurgers } from '../../platform/tenancy/tenant-purgers';
import { type TenantPurge, TenantPurgesRepository } from './tenant-purges.repository';
import { TenantRowsRepository } from './tenant-rows.repository';

/** So long it is tried to reach what is outside; then the rows go all the same. */
const LAST_TRY_AFTER_MS = 24 * 3600 * 1000;
/** Rows of one table hold those of another: each round frees some, and foreign keys are not nested deeper than this. */
const MAX_ROUNDS = 20;

type Erased = Awaited<ReturnType<TenantPurgesRepository['erase']>>;

/**
 * Deletes all that a deleted tenant had: first what features have of it outside, then its rows in every table that the
 * catalogue shows, then what is personal in its audit trail, then the tenant itself. Every step finds for itself what is left
 * of it: it may be killed anywhere, run again, and run twice at one time.
 */
@Injectable()
export class TenantPurgeJob {
  constructor(
    private readonly purges: TenantPurgesRepository,
    private readonly rows: TenantRowsRepository,
    private readonly purgers: TenantPurgers,
    private readonly events: EventBus,
  ) {}

  /** Resolves when nothing is left of the tenant; throws where it must be tried again, or it was asked to stop. */
  async run(tenantId: string, signal: AbortSignal): Promise<void> {
    const purge = await this.purges.findById(tenantId);
    if (!purge || purge.finishedAt !== null) return;
    for (let round = 1; !(await this.goneAfterRound(purge, signal)); round++)
      if (round === MAX_ROUNDS) throw new Error(`Rows of tenant ${tenantId} are left after ${round} rounds`);
    await this.goOver(tenantId, signal);
    await this.purges.finish(tenantId);
    this.events.committed('tenant.changed', { tenantId });
  }

  /** What was stored or noted of a tenant while it was going, by a process that did not know yet, goes too, or names nobody. */
  async goOver(tenantId: string, signal: AbortSignal): Promise<void> {
    await this.purgers.goOver(tenantId);
    await this.erasePersonal(tenantId, signal);
  }

  private async erasePersonal(tenantId: string, signal: AbortSignal): Promise<void> {
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      const { erased, upTo }: Erased = await this.purges.erase(tenantId, after);
      await this.purges.count(tenantId, ['audit', 'erased'], erased);
      after = upTo;
    } while (after !== null);
  }

  private async goneAfterRound(purge: TenantPurge, signal: AbortSignal): Promise<boolean> {
    await this.leaveOutside(purge);
    const tables = await this.rows.tables();
    for (const table of tables) await this.empty(purge.id, table, signal);
    for (const table of tables) if (await this.rows.anyLeft(purge.id, table)) return false;
    const gone = await this.rows.deleteTenant(purge.id);
    if (gone !== null) await this.purges.count(purge.id, ['tables', 'tenants'], gone);
    return gone !== null;
  }

  private async leaveOutside({ id: tenantId, requestedAt }: TenantPurge): Promise<void> {
    const lastTry = Date.now() - requestedAt.getTime() > LAST_TRY_AFTER_MS;
    for (const [name, purger] of this.purgers.all()) {
      const count = (what: string, added: number) => this.purges.count(tenantId, [name, what], added);
      await purger({ tenantId, lastTry, count });
    }
  }

  private async empty(tenantId: string, table: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const gone = await this.rows.deleteSome(tenantId, table);
      if (!gone) return;
      await this.purges.count(tenantId, ['tables', table], gone);
    }
  }
}
