import { ApiProperty } from '@nestjs/swagger';
import type { BulkOutcome } from '../bulk.service';
import type { CampaignProgress } from '../campaigns.service';
import { CAMPAIGN_STATUSES, type CampaignRow } from '../campaigns.repository';

export class RejectedResponse {
  /** Its place in the list, from 0. */
  index: number;
  /** As it was given. */
  to: string;
  code: string;
  message: string;
}

/** About how long a campaign takes, if its sessions send nothing else. */
export class EstimateResponse {
  /** Null where the pace allows none of it. */
  @ApiProperty({ type: Number, nullable: true })
  seconds: number | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ends_at: Date | null;
}

/** What became of a list of recipients. */
export class BulkResponse {
  /** Null of a dry run. */
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  campaign_id: string | null;
  /** Each is written to once. */
  accepted: number;
  /** Entries that name somebody again. */
  folded: number;
  /** Those who cannot be written to: the first 10,000. */
  @ApiProperty({ type: [RejectedResponse] })
  rejected: RejectedResponse[];
  rejected_count: number;
  /** Of a dry run. */
  estimate?: EstimateResponse;
}

export class CampaignResponse {
  id: string;

  @ApiProperty({ type: String, nullable: true })
  name: string | null;

  @ApiProperty({ enum: CAMPAIGN_STATUSES })
  status: string;
  type: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  template_id: string | null;
  session_ids: string[];

  /** Messages a minute from each session, at most; null where only their own pace counts. */
  @ApiProperty({ type: Number, nullable: true })
  per_minute: number | null;
  accepted: number;
  folded: number;
  rejected: number;
  created_by: string;
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  scheduled_at: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expires_at: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  started_at: Date | null;

  /** When all of it had been handed to WAHA or had ended, or it was cancelled. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finished_at: Date | null;
}

class ProgressResponse {
  /** Messages by status. */
  @ApiProperty({ type: Object, additionalProperties: { type: 'integer' } })
  counts: Record<string, number>;

  /** Messages a minute, over the last five. */
  @ApiProperty({ type: Number, format: 'double' })
  per_minute: number;

  /** When about the last of it leaves; null where nothing waits or it does not run. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ends_at: Date | null;
}

/** A campaign, and how far it is. */
export class CampaignWithProgressResponse extends CampaignResponse {
  progress: ProgressResponse;
}

export function bulkResponse({
  campaignId,
  accepted,
  folded,
  rejected,
  rejectedCount,
  seconds,
}: BulkOutcome): BulkResponse {
  const told = { campaign_id: campaignId, accepted, folded, rejected, rejected_count: rejectedCount };
  if (seconds === null) return told;
  const finite = Number.isFinite(seconds);
  const endsAt = finite ? new Date(Date.now() + seconds * 1_000) : null;
  return { ...told, estimate: { seconds: finite ? Math.ceil(seconds) : null, ends_at: endsAt } };
}

/** Lists each field by hand. */
export const campaignResponse = (row: CampaignRow): CampaignResponse => ({
  id: row.id,
  name: row.name,
  status: row.status,
  type: row.type,
  template_id: row.template_id,
  session_ids: row.session_ids,
  per_minute: row.per_minute,
  accepted: row.accepted,
  folded: row.folded,
  rejected: row.rejected,
  created_by: row.created_by,
  created_at: row.created_at,
  scheduled_at: row.scheduled_at,
  expires_at: row.expires_at,
  started_at: row.started_at,
  finished_at: row.finished_at,
});

export const campaignWithProgress = (
  row: CampaignRow,
  { counts, perMinute, endsAt }: CampaignProgress,
): CampaignWithProgressResponse => ({
  ...campaignResponse(row),
  progress: {
    counts: Object.fromEntries(counts.map(({ status, count }) => [status, count])),
    per_minute: perMinute,
    ends_at: endsAt,
  },
});
