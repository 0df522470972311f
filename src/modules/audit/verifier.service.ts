import { Injectable } from '@nestjs/common';
import { SystemDatabase, type SystemRun } from '../../platform/database/system-database';
import { personalHash } from '../../platform/audit/audit-record';
import { batchDigestOf, ChainKeys, DIGEST_BYTES, GENESIS, recordDigest } from './chain';
import { type ChainEnds, endsOf, type Seal, sealsAfter, type StandingRecord } from './chains.repository';
import { FROM_THE_BEGINNING } from './sealer.service';

export const BREAKS = ['changed', 'missing', 'moved', 'inserted', 'chain', 'head', 'base'] as const;

/** What was found first that is not as it was sealed. */
export interface Break {
  kind: (typeof BREAKS)[number];
  /** The record. */
  id?: string;
  /** The seal. */
  seq?: number;
  note: string;
}

/** A head as somebody noted it earlier. */
export interface NotedHead {
  seq: number;
  /** Hexadecimal. */
  digest: string;
}

/** How a chain is. */
export interface Verdict {
  ok: boolean;
  /** Records that stand as they were sealed. */
  checked: number;
  /** Records that the seals hold, those past their retention included. */
  sealed: number;
  /** Records that wait to be sealed. */
  pending: number;
  oldestPendingS: number | null;
  /** Records whose personal part was erased with their tenant. */
  erased: number;
  head: NotedHead;
  firstBroken: Break | null;
  /** Of the noted head: part of the chain, or older than what is kept; null when none was given, or it is not part of it. */
  noted: 'part' | 'expired' | null;
}

/** Few enough that a check of a million records takes no more memory than one of a thousand. */
const SEALS_AT_ONCE = 10;

interface Counts {
  /** Of months that are kept. */
  records: number;
  pending: number;
  pending_kept: number;
  oldest_pending_s: number | null;
}

class BrokenChain extends Error {
  constructor(readonly found: Break) {
    super(found.note);
  }
}

/** Throws what was found. Never returns. */
function broken(kind: Break['kind'], note: string, where: { id?: string; seq?: number } = {}): never {
  throw new BrokenChain({ kind, ...where, note });
}

/** The digest of a seal's nth record, from 1. */
const digestAt = (digests: Buffer, nth: number): Buffer =>
  digests.subarray((nth - 1) * DIGEST_BYTES, nth * DIGEST_BYTES);

/** Compares a chain with the records that it holds. */
@Injectable()
export class ChainVerifier {
  constructor(
    private readonly system: SystemDatabase,
    private readonly keys: ChainKeys,
  ) {}

  /** Checks the tenant's chain as it is at this moment, while sealing goes on. Stops at the first break. */
  verify(tenantId: string, noted?: NotedHead): Promise<Verdict> {
    return this.system.snapshot(async (run) => {
      await run('auditHold', []);
      const walk = new Walk(run, tenantId, this.keys);
      try {
        await walk.through(noted);
      } catch (error) {
        if (!(error instanceof BrokenChain)) throw error;
        return { ...walk.verdict, ok: false, firstBroken: error.found };
      }
      return walk.verdict;
    });
  }
}

/** One check of one chain. */
class Walk {
  readonly verdict: Verdict = {
    ok: true,
    checked: 0,
    sealed: 0,
    pending: 0,
    oldestPendingS: null,
    erased: 0,
    head: { seq: 0, digest: GENESIS.toString('hex') },
    firstBroken: null,
    noted: null,
  };

  private erasable = false;

  constructor(
    private readonly run: SystemRun,
    private readonly tenantId: string,
    private readonly keys: ChainKeys,
  ) {}

  /** @throws BrokenChain */
  async through(noted: NotedHead | undefined): Promise<void> {
    const ends = await endsOf(this.run, this.tenantId);
    const [erasure] = await this.run<{ erasable: boolean }>('auditErasable', [this.tenantId]);
    this.erasable = erasure?.erasable === true;
    if (ends) this.checkEnds(ends);
    const last = await this.walkSeals(ends, noted);
    if (!ends && last.seq > 0) broken('head', 'the head of the chain is gone', { seq: last.seq });
    if (ends && (last.seq !== ends.head.seq || !last.chain.equals(ends.head.chain)))
      broken('head', 'the last seal is not the head of the chain', { seq: last.seq });
    if (noted && this.verdict.noted === null)
      broken('head', 'the noted head is not part of the chain', { seq: noted.seq });
    await this.checkRest(ends?.base.keptFrom ?? FROM_THE_BEGINNING);
  }

  private checkEnds({ base, head }: ChainEnds): void {
    this.verdict.head = { seq: head.seq, digest: head.chain.toString('hex') };
    if (!base.proof.equals(this.keys.baseProof(this.tenantId, base)))
      broken('base', 'the base of the chain was not signed by the service', { seq: base.seq });
    if (!head.proof.equals(this.keys.headProof(this.tenantId, head.seq, head.chain)))
      broken('head', 'the head of the chain was not signed by the service', { seq: head.seq });
  }

  private async walkSeals(
    ends: ChainEnds | null,
    noted: NotedHead | undefined,
  ): Promise<{ seq: number; chain: Buffer }> {
    const base = ends?.base ?? { seq: 0, chain: GENESIS, keptFrom: FROM_THE_BEGINNING };
    let last = { seq: base.seq, chain: base.chain };
    this.compare(noted, last);
    if (noted && noted.seq < base.seq) this.verdict.noted = 'expired';
    for (;;) {
      const seals = await sealsAfter(this.run, this.tenantId, last.seq, SEALS_AT_ONCE);
      for (const seal of seals) {
        this.checkSeal(seal, last);
        this.verdict.sealed += seal.ids.length;
        if (seal.month >= base.keptFrom) await this.checkRecords(seal);
        last = seal;
        this.compare(noted, last);
      }
      if (seals.length < SEALS_AT_ONCE) return last;
    }
  }

  private compare(noted: NotedHead | undefined, { seq, chain }: { seq: number; chain: Buffer }): void {
    if (noted?.seq === seq && noted.digest === chain.toString('hex')) this.verdict.noted = 'part';
  }

  private checkSeal(seal: Seal, last: { seq: number; chain: Buffer }): void {
    const { seq } = seal;
    if (seq !== last.seq + 1) broken('chain', 'seals before this one are missing', { seq });
    const whole = seal.digests.length === seal.ids.length * DIGEST_BYTES;
    if (!whole || !seal.batchDigest.equals(batchDigestOf(seal.digests)))
      broken('chain', 'the seal was changed: it does not hold the digests that it was made of', { seq });
    if (!seal.chain.equals(this.keys.link(this.tenantId, last.chain, seal)))
      broken('chain', 'the seal was changed, or is not of the service', { seq });
  }

  private async checkRecords({ seq, month, ids, digests }: Seal): Promise<void> {
    const records = await this.run<StandingRecord>('auditSealedRecords', [this.tenantId, ids, month]);
    // First of all: which of two comes first is chance.
    const double = records.find(({ nth }, index) => records[index - 1]?.nth === nth);
    if (double) broken('inserted', 'there are two records of this id', { id: double.sealed_id, seq });
    for (const record of records) {
      const { nth, sealed_id: id } = record;
      if (record.id === null) await this.tellWhereItWent(id, seq);
      const digest = recordDigest(this.tenantId, { ...record, id });
      if (!digestAt(digests, nth).equals(digest)) {
        const swapped = ids.some((_id, index) => digestAt(digests, index + 1).equals(digest));
        if (swapped) broken('moved', 'the record stands at another place than it was sealed at', { id, seq });
        broken('changed', 'the record is not what was sealed', { id, seq });
      }
      this.checkPersonal(record, seq);
      this.verdict.checked += 1;
    }
  }

  private checkPersonal(record: StandingRecord, seq: number): void {
    const { sealed_id: id, personal, personal_salt: salt, personal_hash: hash } = record;
    if (personal === null && salt === null && this.erasable) this.verdict.erased += 1;
    else if (personal === null || salt === null || !personalHash(salt, personal).equals(hash))
      broken('changed', 'what is personal in the record is not what was sealed', { id, seq });
  }

  private async tellWhereItWent(id: string, seq: number): Promise<never> {
    const [elsewhere] = await this.run<{ tenant_id: string; at: string }>('auditElsewhere', [id]);
    if (!elsewhere) return broken('missing', 'the record is gone', { id, seq });
    const where = elsewhere.tenant_id === this.tenantId ? 'another time' : 'another tenant';
    return broken('moved', `the record was moved to ${where}`, { id, seq });
  }

  /** Records beside the chain: those that wait are named, any other nobody wrote through the service. */
  private async checkRest(keptFrom: string): Promise<void> {
    const [counts] = await this.run<Counts>('auditCounts', [this.tenantId, keptFrom]);
    if (!counts) throw new Error('A count without a row');
    this.verdict.pending = counts.pending;
    this.verdict.oldestPendingS = counts.oldest_pending_s;
    const [lost] = await this.run<{ id: string }>('auditLostPending', [this.tenantId]);
    if (lost) broken('missing', 'the record was gone before it was sealed', { id: lost.id });
    if (counts.records === this.verdict.checked + counts.pending_kept) return;
    const [stranger] = await this.run<{ id: string }>('auditStranger', [this.tenantId, keptFrom]);
    broken('inserted', 'a record stands beside the chain', { id: stranger?.id });
  }
}
