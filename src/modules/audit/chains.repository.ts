import { Injectable } from '@nestjs/common';
import { SystemDatabase, type SystemRun } from '../../platform/database/system-database';
import type { SealedRecord } from './chain';

/** Where a chain begins and ends. */
export interface ChainEnds {
  base: { seq: number; chain: Buffer; keptFrom: string; proof: Buffer };
  head: { seq: number; chain: Buffer; proof: Buffer };
}

/** A seal as it is stored; its records in order, and the digest of each. */
export interface Seal {
  seq: number;
  month: string;
  ids: string[];
  digests: Buffer;
  batchDigest: Buffer;
  chain: Buffer;
}

/** A sealed record as it stands now. */
export interface StandingRecord extends Omit<SealedRecord, 'id'> {
  /** Null where there is none (and all of it is). */
  id: string | null;
  /** Place in its seal, from 1. */
  nth: number;
  sealed_id: string;
  personal: string | null;
  personal_salt: Buffer | null;
}

interface ChainRow {
  base_seq: string;
  base_chain: Buffer;
  kept_from: string;
  base_proof: Buffer;
  head_seq: string;
  head_chain: Buffer;
  head_proof: Buffer;
}

interface SealRow {
  seq: string;
  month: string;
  ids: string[];
  digests: Buffer;
  batch_digest: Buffer;
  chain: Buffer;
}

/** Chains, their seals, and what waits for one. */
@Injectable()
export class ChainsRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Tenants with records that wait, in their order from this one on. */
  async tenantsPending(limit: number, from: string): Promise<string[]> {
    const rows = await this.system.run<{ tenant_id: string }>('auditTenantsPending', [limit, from]);
    return rows.map(({ tenant_id }) => tenant_id);
  }

  /** Chains that have not yet agreed to lose what is before that month, in their order from this one on. */
  async chainsToKeepFrom(month: string, from: string, limit: number): Promise<string[]> {
    const rows = await this.system.run<{ tenant_id: string }>('auditChainsToKeepFrom', [month, from, limit]);
    return rows.map(({ tenant_id }) => tenant_id);
  }

  /** What waits to be sealed; counts stop at 10,001. */
  async backlog(): Promise<{ pending: number; oldest_s: number | null }> {
    const [row] = await this.system.run<{ pending: number; oldest_s: number | null }>('auditBacklog');
    return row ?? { pending: 0, oldest_s: null };
  }

  /** Work in one transaction that nobody else does on this chain: where somebody does, it is left out. */
  async whereFree<T>(tenantId: string, work: (run: SystemRun) => Promise<T>): Promise<T | null> {
    return this.system.transaction(async (run) => {
      const [row] = await run<{ locked: boolean }>('auditTryLock', [tenantId]);
      return row?.locked ? work(run) : null;
    });
  }

  /** The same, waiting for whoever is at it. */
  async alone<T>(tenantId: string, work: (run: SystemRun) => Promise<T>): Promise<T> {
    return this.system.transaction(async (run) => {
      await run('auditLock', [tenantId]);
      return work(run);
    });
  }

  /** Months of the trail are made, and dropped. Answers the names of those that went. */
  async maintain(): Promise<string[]> {
    const [row] = await this.system.run<{ gone: string[] }>('auditMaintain');
    return row?.gone ?? [];
  }

  /** Some seals go that are before the beginning of their chain. Answers how many; 0 when none is left. */
  async forgetSeals(): Promise<number> {
    const [row] = await this.system.run<{ gone: number }>('auditForgetSeals');
    return row?.gone ?? 0;
  }

  /** Every chain, with the slug of its tenant where that still exists. */
  names(): Promise<{ tenant_id: string; slug: string | null }[]> {
    return this.system.run('auditChainNames');
  }
}

/** Null before the first seal. */
export async function endsOf(run: SystemRun, tenantId: string): Promise<ChainEnds | null> {
  const [row] = await run<ChainRow>('auditChain', [tenantId]);
  if (!row) return null;
  return {
    base: { seq: Number(row.base_seq), chain: row.base_chain, keptFrom: row.kept_from, proof: row.base_proof },
    head: { seq: Number(row.head_seq), chain: row.head_chain, proof: row.head_proof },
  };
}

/** The next seals, in order. */
export async function sealsAfter(run: SystemRun, tenantId: string, seq: number, limit: number): Promise<Seal[]> {
  const rows = await run<SealRow>('auditSealsAfter', [tenantId, seq, limit]);
  return rows.map(({ batch_digest: batchDigest, ...row }) => ({ ...row, seq: Number(row.seq), batchDigest }));
}
