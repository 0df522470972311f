import { ApiProperty } from '@nestjs/swagger';
import type { Usage } from '../usage.service';

/** How much is used, of how much; null is without bound. */
class UseResponse {
  used: number;

  @ApiProperty({ type: Number, nullable: true })
  limit: number | null;
}

/** A bound that is counted by the minute and not summed up. */
class BoundResponse {
  @ApiProperty({ type: Number, nullable: true })
  limit: number | null;
}

/** What a tenant uses of what it may use; days are those of its time zone. */
export class UsageResponse {
  /** Today. @example 2026-01-31 */
  day: string;

  /** Accepted today. */
  messages_per_day: UseResponse;
  sessions: UseResponse;
  users: UseResponse;
  storage_bytes: UseResponse;
  requests_per_minute: BoundResponse;

  /** Requests of the tenant's users and keys today; some seconds old. */
  api_calls: UseResponse;
}

/** Lists each use. */
export const usageResponse = ({ day, used, limits }: Usage): UsageResponse => ({
  day,
  messages_per_day: { used: used.messages, limit: limits.messages_per_day },
  sessions: { used: used.sessions, limit: limits.sessions },
  users: { used: used.users, limit: limits.users },
  storage_bytes: { used: used.storageBytes, limit: limits.storage_bytes },
  requests_per_minute: { limit: limits.requests_per_minute },
  api_calls: { used: used.apiCalls, limit: null },
});
