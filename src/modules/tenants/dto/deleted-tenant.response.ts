import { ApiProperty } from '@nestjs/swagger';
import type { TenantPurge } from '../tenant-purges.repository';

/** How far the purge of a deleted tenant is. */
export class TenantPurgeResponse {
  @ApiProperty({ type: String, format: 'date-time' })
  requested_at: string;

  /** When nothing was left; null until then. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finished_at: string | null;

  /** What went so far: `tables` (rows by table), `sessions`, `audit_erased`. */
  @ApiProperty({ type: Object, additionalProperties: true })
  report: Record<string, unknown>;
}

/** A tenant that was deleted. */
export class DeletedTenantResponse {
  /** @example 01940b6e-7f60-7000-8000-0123456789ab */
  id: string;
  slug: string;
  name: string;

  @ApiProperty({ enum: ['deleted'] })
  status: 'deleted';

  purge: TenantPurgeResponse;
}

/** Lists the fields that the platform sees. */
export const deletedTenantResponse = (purge: TenantPurge): DeletedTenantResponse => {
  const { id, slug, name, requestedAt, finishedAt, report } = purge;
  const { audit, ...parts } = report;
  return {
    id,
    slug,
    name,
    status: 'deleted',
    purge: {
      requested_at: requestedAt.toISOString(),
      finished_at: finishedAt?.toISOString() ?? null,
      report: audit ? { ...parts, audit_erased: audit.erased ?? 0 } : parts,
    },
  };
};
