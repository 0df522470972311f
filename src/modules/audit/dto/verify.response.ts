import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { BREAKS, type Verdict } from '../verifier.service';

/** A place in the chain: noted, it proves later that nothing before it was changed. */
export class ChainHeadResponse {
  seq: number;
  /** Hexadecimal. */
  digest: string;
}

/** What is not as it was sealed. */
export class BreakResponse {
  @ApiProperty({ enum: BREAKS })
  kind: string;
  /** The record. */
  @ApiPropertyOptional()
  id?: string;
  /** The seal. */
  @ApiPropertyOptional()
  seq?: number;
  note: string;
}

/** How the chain is. */
export class VerifyResponse {
  ok: boolean;
  /** Records that stand as they were sealed. */
  checked: number;
  /** Records under seals. */
  sealed: number;
  /** Records that wait to be sealed; more than some seconds old only while no worker runs. */
  pending: number;
  @ApiProperty({ type: Number, nullable: true })
  oldest_pending_s: number | null;
  /** Records whose personal part was erased with their tenant. */
  erased: number;
  head: ChainHeadResponse;
  /** Of the head that was asked for: `part` of the chain, or `expired`, older than what is kept. */
  @ApiPropertyOptional({ enum: ['part', 'expired'] })
  noted_head?: string;
  /** Only where `ok` is false. */
  @ApiPropertyOptional()
  first_broken?: BreakResponse;
}

/** Lists each field by hand. */
export const verifyResponse = (verdict: Verdict): VerifyResponse => ({
  ok: verdict.ok,
  checked: verdict.checked,
  sealed: verdict.sealed,
  pending: verdict.pending,
  oldest_pending_s: verdict.oldestPendingS,
  erased: verdict.erased,
  head: verdict.head,
  ...(verdict.noted === null ? {} : { noted_head: verdict.noted }),
  ...(verdict.firstBroken === null ? {} : { first_broken: verdict.firstBroken }),
});
