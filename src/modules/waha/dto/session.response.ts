import { ApiProperty } from '@nestjs/swagger';
import { PaceResponse, paceResponse, QuietHoursResponse, quietHoursResponse } from '../../tenants/dto/pace.dto';
import type { SessionRow } from '../sessions.repository';

/** What has left today, of the tenant's time zone. */
export class TodayResponse {
  sent: number;
  first_contacts: number;
}

/** A WhatsApp number of the tenant. */
export class SessionResponse {
  id: string;
  name: string;
  /** WAHA's own word: STOPPED, STARTING, SCAN_QR_CODE, WORKING, FAILED … */
  status: string;
  /**
   * `deaf`: WORKING, but nothing is confirmed or received; `parked`: failed, and restarts did not help, or WAHA refuses what is
   * sent (401, 403, 404): messages wait.
   */
  @ApiProperty({ enum: ['ok', 'deaf', 'parked'] })
  health: string;
  /** Why the health is not ok; null when it is. */
  @ApiProperty({ type: String, nullable: true })
  reason: string | null;
  /** WAHA's own session name. */
  waha_name: string;
  /** Id of the WAHA server. */
  server: string;
  /** Whether its server is to be emptied or dead and its login cannot follow: log out and scan it again. */
  needs_scan: boolean;
  /** Whether it is on its way to another server; its messages wait meanwhile. */
  moving: boolean;
  /** The number, digits only; null before pairing. */
  @ApiProperty({ type: String, nullable: true })
  phone: string | null;
  @ApiProperty({ type: String, nullable: true })
  push_name: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_inbound_at: Date | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_ack_at: Date | null;
  /** How often the service has restarted it by itself. */
  restarts: number;
  pace: PaceResponse;
  /** The session's own; null where the tenant's hold. */
  @ApiProperty({ type: QuietHoursResponse, nullable: true })
  quiet_hours: QuietHoursResponse | null;
  today: TodayResponse;
  /** Messages waiting to be sent; counted to 10,001. */
  queue_depth: number;
  @ApiProperty({ type: Object, additionalProperties: true })
  metadata: Record<string, unknown>;
  created_at: Date;
}

export class QrImageResponse {
  mimetype: string;
  /** Base64. */
  data: string;
}

export class QrValueResponse {
  /** What the QR code says. */
  value: string;
}

export class PairingCodeResponse {
  /** As the phone asks for it. @example "ABCD-1234" */
  code: string;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const sessionResponse = (row: SessionRow): SessionResponse => ({
  id: row.id,
  name: row.name,
  status: row.status,
  health: row.health,
  reason: row.health_reason,
  waha_name: row.waha_name,
  server: row.server_id,
  needs_scan: row.needs_scan,
  moving: row.leaving_server_id !== null,
  phone: row.phone,
  push_name: row.push_name,
  last_inbound_at: row.last_inbound_at,
  last_ack_at: row.last_ack_at,
  restarts: row.restarts,
  pace: paceResponse(row.pace),
  quiet_hours: quietHoursResponse(row.quiet_hours),
  today: { sent: row.sent_today, first_contacts: row.firsts_today },
  queue_depth: row.queue_depth,
  metadata: row.metadata,
  created_at: row.created_at,
});
