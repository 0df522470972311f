import { Injectable, Logger } from '@nestjs/common';
import { PLATFORM_TENANT_ID } from '../../common/actor';
import { Config } from '../../config/config';
import type { SystemRun } from '../../platform/database/system-database';
import { ChainKeys } from './chain';
import { type ChainEnds, ChainsRepository, endsOf, sealsAfter } from './chains.repository';

const CHAINS_AT_ONCE = 200;
const SEALS_AT_ONCE = 200;

/**
 * Lets go of months that are past AUDIT_RETENTION_DAYS: each chain first gets the new place that it begins at, signed; only
 * then the owner's function drops the months. Safe to run twice and at the same time.
 */
@Injectable()
export class AuditRetentionJob {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly config: Config,
    private readonly chains: ChainsRepository,
    private readonly keys: ChainKeys,
  ) {}

  /** Runs until every chain has agreed, or it is asked to stop; then makes and drops months. */
  async run(signal: AbortSignal): Promise<void> {
    const keepFrom = keptFromAt(new Date(), this.config.AUDIT_RETENTION_DAYS);
    let from: string | undefined = PLATFORM_TENANT_ID;
    while (from !== undefined && !signal.aborted) {
      const due: string[] = await this.chains.chainsToKeepFrom(keepFrom, from, CHAINS_AT_ONCE);
      for (const tenantId of due) await this.moveBase(tenantId, keepFrom);
      from = due.length === CHAINS_AT_ONCE ? due.at(-1) : undefined;
    }
    const gone = await this.chains.maintain();
    while (!signal.aborted && (await this.chains.forgetSeals()) > 0);
    if (gone.length > 0) this.logger.log(`months of the audit trail past their retention: ${gone.join(', ')}`);
  }

  private async moveBase(tenantId: string, keepFrom: string): Promise<void> {
    const moved = await this.chains.alone(tenantId, (run) => this.moveBaseAlone(run, tenantId, keepFrom));
    // What somebody has tampered with is evidence: it stays, and so do the months that it is of.
    if (!moved) this.logger.error({ msg: 'audit: a chain is broken, nothing of it is dropped', tenant_id: tenantId });
  }

  private async moveBaseAlone(run: SystemRun, tenantId: string, keptFrom: string): Promise<boolean> {
    const ends = await endsOf(run, tenantId);
    if (!ends || ends.base.keptFrom >= keptFrom) return true;
    const base = await this.lastBefore(run, { tenantId, ends, keptFrom });
    if (!base) return false;
    const proof = this.keys.baseProof(tenantId, { ...base, keptFrom });
    await run('auditMoveBase', [tenantId, base.seq, base.chain, keptFrom, proof]);
    return true;
  }

  /** The last of the seals that all are of months before; null where the chain up to there does not hold. */
  private async lastBefore(run: SystemRun, { tenantId, ends, keptFrom }: Move): Promise<Base | null> {
    if (!ends.base.proof.equals(this.keys.baseProof(tenantId, ends.base))) return null;
    let base: Base = { seq: ends.base.seq, chain: ends.base.chain };
    for (;;) {
      const seals = await sealsAfter(run, tenantId, base.seq, SEALS_AT_ONCE);
      for (const seal of seals) {
        const holds = seal.seq === base.seq + 1 && seal.chain.equals(this.keys.link(tenantId, base.chain, seal));
        if (!holds) return null;
        if (seal.month >= keptFrom) return base;
        base = { seq: seal.seq, chain: seal.chain };
      }
      if (seals.length < SEALS_AT_ONCE) return base;
    }
  }
}

interface Base {
  seq: number;
  chain: Buffer;
}

interface Move {
  tenantId: string;
  ends: ChainEnds;
  keptFrom: string;
}

/** The first month that is kept: every one before it has ended more than so many days ago. */
export function keptFromAt(now: Date, days: number): string {
  const oldest = new Date(now.getTime() - days * 86_400_000);
  return `${oldest.toISOString().slice(0, 7)}-01`;
}
