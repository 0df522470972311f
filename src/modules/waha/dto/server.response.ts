import { ApiProperty } from '@nestjs/swagger';
import type { ServerSession, ServerView } from '../servers.repository';

/** A WAHA server of the pool. */
export class ServerResponse {
  id: string;
  name: string;
  base_url: string;
  /** `active`: new sessions come; `draining`: none come, and those that can move away. */
  @ApiProperty({ enum: ['active', 'draining'] })
  state: string;
  /** What came of asking it last: `down` when no answer came; `refused` when it is too old, or answers with an error (a wrong key). */
  @ApiProperty({ enum: ['unknown', 'up', 'down', 'refused'] })
  status: string;
  /** Why it is not up; null when it is. */
  @ApiProperty({ type: String, nullable: true })
  status_reason: string | null;
  @ApiProperty({ type: String, nullable: true })
  engine: string | null;
  @ApiProperty({ type: String, nullable: true })
  version: string | null;
  /** How many sessions it takes; null: any number. */
  @ApiProperty({ type: Number, nullable: true })
  capacity: number | null;
  /** Sessions that take a place on it. */
  sessions: number;
  @ApiProperty({ type: String, nullable: true })
  storage_group: string | null;
  /** Whether address and key are those of `WAHA_BASE_URL` and `WAHA_API_KEY`. */
  from_config: boolean;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_seen_at: Date | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  checked_at: Date | null;
  created_at: Date;
}

/** A session on its way, or one that cannot go. */
export class ServerSessionResponse {
  tenant_id: string;
  session_id: string;
  waha_name: string;
}

/** One server, with its sessions that are not simply there. */
export class ServerDetailsResponse extends ServerResponse {
  /** Sessions whose login cannot follow them: to be logged out and scanned again. At most 1,000. */
  needs_scan: ServerSessionResponse[];
  /** Sessions that move away and are not stopped here yet. At most 1,000. */
  leaving: ServerSessionResponse[];
}

/** Lists each field by hand: the key stays private. */
export const serverResponse = (row: ServerView): ServerResponse => ({
  id: row.id,
  name: row.name,
  base_url: row.base_url,
  state: row.state,
  status: row.status,
  status_reason: row.status_reason,
  engine: row.engine,
  version: row.version,
  capacity: row.capacity,
  sessions: row.sessions,
  storage_group: row.storage_group,
  from_config: row.from_config,
  last_seen_at: row.last_seen_at,
  checked_at: row.checked_at,
  created_at: row.created_at,
});

/** The same with its sessions. */
export const serverDetailsResponse = (row: ServerView, sessions: ServerSession[]): ServerDetailsResponse => ({
  ...serverResponse(row),
  needs_scan: ofKind(sessions, 'needs_scan'),
  leaving: ofKind(sessions, 'leaving'),
});

const ofKind = (sessions: ServerSession[], kind: ServerSession['why']): ServerSessionResponse[] =>
  sessions
    .filter(({ why }) => why === kind)
    .map(({ tenant_id, id, waha_name }) => ({ tenant_id, session_id: id, waha_name }));
