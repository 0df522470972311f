import { createHash, createHmac } from 'node:crypto';
import { deriveKey } from '../../platform/crypto/keys';

export const DIGEST_BYTES = 32;

/** What comes before the first seal of every chain. */
export const GENESIS = Buffer.alloc(DIGEST_BYTES);

/** What the digest of a record covers, as auditUnsealed and auditSealedRecords read it. */
export interface SealedRecord {
  id: string;
  /** To the microsecond, in UTC. */
  at: string;
  actor_kind: string;
  actor_id: string | null;
  action: string;
  resource: string;
  /** The JSON letter for letter. */
  metadata: string;
  request_id: string | null;
  personal_hash: Buffer;
}

/** One link: the records of one month that were sealed together. */
export interface Link {
  seq: number;
  /** First day of the month, `2026-11-01`. */
  month: string;
  batchDigest: Buffer;
}

/** The digest of all that a record says; of what is personal only of its salted hash. */
export function recordDigest(tenantId: string, record: SealedRecord): Buffer {
  const { id, at, actor_kind, actor_id, action, resource, metadata, request_id, personal_hash } = record;
  const hash = personal_hash.toString('hex');
  return sha256(JSON.stringify([tenantId, id, at, actor_kind, actor_id, action, resource, metadata, request_id, hash]));
}

/** The digest of a batch: of its records' digests in their order. */
export const batchDigestOf = (digests: Buffer): Buffer => sha256(digests);

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

/**
 * Links and signs the chains. The keys come from the installation's secret, which the database never sees: whoever owns the
 * tables can break a chain, and cannot make one.
 */
export class ChainKeys {
  private readonly links: Buffer;
  private readonly ends: Buffer;

  /** @param secret DATA_ENCRYPTION_KEY */
  constructor(secret: Buffer) {
    this.links = deriveKey(secret, 'audit chain');
    this.ends = deriveKey(secret, 'audit chain ends');
  }

  /** The chain after this link. */
  link(tenantId: string, previous: Buffer, { seq, month, batchDigest }: Link): Buffer {
    const text = JSON.stringify([tenantId, previous.toString('hex'), seq, month, batchDigest.toString('hex')]);
    return createHmac('sha256', this.links).update(text).digest();
  }

  /** Says that the chain's head was this. */
  headProof(tenantId: string, seq: number, chain: Buffer): Buffer {
    return this.sign(['head', tenantId, seq, chain.toString('hex')]);
  }

  /** Says that the chain may begin here, and that records of months before `keptFrom` may be gone. */
  baseProof(tenantId: string, base: { seq: number; chain: Buffer; keptFrom: string }): Buffer {
    return this.sign(['base', tenantId, base.seq, base.chain.toString('hex'), base.keptFrom]);
  }

  private sign(parts: (string | number)[]): Buffer {
    return createHmac('sha256', this.ends).update(JSON.stringify(parts)).digest();
  }
}
