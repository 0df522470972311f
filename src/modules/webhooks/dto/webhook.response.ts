import { ApiProperty } from '@nestjs/swagger';

export class WebhookTakenResponse {
  /** False for a duplicate: nothing was done. */
  stored: boolean;
}

export class WebhookHealthResponse {
  /** When this process last took a valid webhook; null before the first. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_received_at: Date | null;
  /** Events that wait to be applied; counted to 10,001. */
  backlog: number;
  /** Age of the oldest of them in seconds; null when there is none. */
  @ApiProperty({ type: Number, nullable: true })
  oldest_s: number | null;
  /** Events that could not be applied; counted to 10,001. */
  failures: number;
}
