import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { PLATFORM_TENANT_ID } from '../../common/actor';
import { Config } from '../../config/config';
import { Periodic } from '../../platform/loops/periodic';
import { Metrics } from '../../platform/metrics/metrics';
import { ChainsRepository } from './chains.repository';
import { SEAL_RECORDS, Sealer } from './sealer.service';

const EVERY_MS = 1_000;
const CHAINS_PER_ROUND = 500;
const CHAINS_AT_ONCE = 2;
/** Seals of one chain in a round: a long backlog keeps no other chain waiting. */
const SEALS_PER_ROUND = 20;

/** The least of all ids. */
const BEGINNING = PLATFORM_TENANT_ID;

/** Seals in worker processes, seconds behind what happens: chain by chain, each by one sealer at a time. */
@Injectable()
export class SealingLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly loop: Periodic;
  private readonly sealed;
  private from = BEGINNING;
  private backlog: { pending: number; oldest_s: number | null } | undefined;

  constructor(
    private readonly config: Config,
    private readonly chains: ChainsRepository,
    private readonly sealer: Sealer,
    metrics: Metrics,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.round(),
      onError: (error) => this.logger.warn({ msg: 'audit: sealing failed', err: error }),
    });
    this.sealed = metrics.counter({ name: 'switchboard_audit_sealed_total', help: 'Audit records that were sealed' });
    metrics.observe({
      name: 'switchboard_audit_unsealed',
      help: 'Audit records of all tenants that wait to be sealed, counted to 10,001; of worker processes',
      read: () => (this.backlog ? [{ value: this.backlog.pending }] : []),
    });
    metrics.observe({
      name: 'switchboard_audit_unsealed_oldest_seconds',
      help: 'Age of the oldest audit record that waits to be sealed; of worker processes',
      read: () => (this.backlog ? [{ value: this.backlog.oldest_s ?? 0 }] : []),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private async round(): Promise<void> {
    const due = await this.chains.tenantsPending(CHAINS_PER_ROUND, this.from);
    // The next round begins at the last chain of this one; when the end is reached, at the beginning.
    const full = due.length === CHAINS_PER_ROUND;
    this.from = full ? (due.at(-1) ?? BEGINNING) : BEGINNING;
    let more = full;
    const next = async (): Promise<void> => {
      for (let tenantId = due.pop(); tenantId !== undefined; tenantId = due.pop())
        more = (await this.sealChain(tenantId)) || more;
    };
    await Promise.all(Array.from({ length: CHAINS_AT_ONCE }, next));
    this.backlog = await this.chains.backlog();
    if (more) this.loop.nudge();
  }

  /** Whether there is more to seal. */
  private async sealChain(tenantId: string): Promise<boolean> {
    try {
      for (let seals = 0; seals < SEALS_PER_ROUND; seals += 1) {
        const records = await this.sealer.seal(tenantId);
        this.sealed.inc(records);
        if (records < SEAL_RECORDS) return false;
      }
      return true;
    } catch (error) {
      this.logger.warn({ msg: 'audit: a chain could not be sealed yet', tenant_id: tenantId, err: error });
      return false;
    }
  }
}
