import { Injectable } from '@nestjs/common';
import type { SystemRun } from '../../platform/database/system-database';
import { batchDigestOf, ChainKeys, GENESIS, recordDigest, type SealedRecord } from './chain';
import { ChainsRepository, endsOf } from './chains.repository';

/** Records of one seal. */
export const SEAL_RECORDS = 500;

/** Before every record that there is. */
export const FROM_THE_BEGINNING = '0001-01-01';

/** Puts records that wait under the next seal of their chain. */
@Injectable()
export class Sealer {
  constructor(
    private readonly chains: ChainsRepository,
    private readonly keys: ChainKeys,
  ) {}

  /**
   * One seal of the tenant's oldest records that wait, in one transaction: whoever dies in it has sealed nothing.
   * @returns how many records it holds; 0 when none waits or another sealer is at it
   */
  async seal(tenantId: string): Promise<number> {
    return (await this.chains.whereFree(tenantId, (run) => this.sealNext(run, tenantId))) ?? 0;
  }

  private async sealNext(run: SystemRun, tenantId: string): Promise<number> {
    const waiting = await run<SealedRecord>('auditUnsealed', [tenantId, SEAL_RECORDS]);
    const first = waiting[0];
    if (!first) return 0;
    const month = monthOf(first.at);
    const records = waiting.filter(({ at }) => monthOf(at) === month);
    const ends = await endsOf(run, tenantId);
    const digests = Buffer.concat(records.map((record) => recordDigest(tenantId, record)));
    const link = { seq: (ends?.head.seq ?? 0) + 1, month, batchDigest: batchDigestOf(digests) };
    const chain = this.keys.link(tenantId, ends?.head.chain ?? GENESIS, link);
    const ids = records.map(({ id }) => id);
    await run('auditSeal', [tenantId, link.seq, month, ids, digests, link.batchDigest, chain]);
    await this.moveHead(run, tenantId, { seq: link.seq, chain });
    await run('auditNoLongerPending', [tenantId, ids, first.at, records.at(-1)?.at]);
    return records.length;
  }

  private async moveHead(run: SystemRun, tenantId: string, head: { seq: number; chain: Buffer }): Promise<void> {
    const base = { seq: 0, chain: GENESIS, keptFrom: FROM_THE_BEGINNING };
    await run('auditMoveHead', [
      tenantId,
      base.chain,
      base.keptFrom,
      this.keys.baseProof(tenantId, base),
      head.seq,
      head.chain,
      this.keys.headProof(tenantId, head.seq, head.chain),
    ]);
  }
}

const monthOf = (at: string): string => `${at.slice(0, 7)}-01`;
