import { ApiProperty } from '@nestjs/swagger';
import { EVENT_STATUSES, type StoredEventRow } from '../stored-events.repository';

/** An event as WAHA posted it, and what was made of it. */
export class StoredEventResponse {
  id: string;
  session_id: string;
  /** WAHA's name of it. */
  event: string;
  /** WAHA's own id, which its events `message` and `message.any` of one message share. */
  event_id: string;
  @ApiProperty({ enum: EVENT_STATUSES })
  status: string;
  /** How often applying it failed. */
  attempts: number;
  /** Why it failed, was ignored or waits, or what it came to; null where there is nothing to say. */
  @ApiProperty({ type: String, nullable: true })
  note: string | null;
  received_at: Date;
  /** When it was applied, or ignored; null before. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  applied_at: Date | null;
  /** When it is tried (again); null unless it is `pending`. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  next_at: Date | null;
  /** When somebody first looked at it after it failed; null before, and for others. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  seen_at: Date | null;
}

export class StoredEventWithBodyResponse extends StoredEventResponse {
  /** What WAHA posted. */
  @ApiProperty({ type: Object, additionalProperties: true })
  body: unknown;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const storedEventResponse = (row: StoredEventRow): StoredEventResponse => ({
  id: row.id,
  session_id: row.session_id,
  event: row.event,
  event_id: row.event_id,
  status: row.status,
  attempts: row.attempts,
  note: row.note,
  received_at: row.received_at,
  applied_at: row.applied_at,
  next_at: row.status === 'pending' ? row.next_at : null,
  seen_at: row.seen_at,
});

/** The same, where one event is looked at. */
export const storedEventWithBodyResponse = (row: StoredEventRow & { body: string }): StoredEventWithBodyResponse => ({
  ...storedEventResponse(row),
  body: JSON.parse(row.body) as unknown,
});
