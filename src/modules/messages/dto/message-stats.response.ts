import { ApiProperty } from '@nestjs/swagger';
import { type Grouping, GROUPINGS } from '../stats/message-stats.repository';
import type { Delay, Figures, MessageStats } from '../stats/message-stats.service';

const BY_STATUS = { type: Object, additionalProperties: { type: 'integer' } } as const;
const SHARE = { type: Number, format: 'double', nullable: true } as const;

class DelayResponse {
  /** Of how many messages it is known. */
  messages: number;

  /** Milliseconds, within 2 %; null where it is known of none. A time under a millisecond counts as one. */
  @ApiProperty({ type: Number, format: 'double', nullable: true })
  median_ms: number | null;

  @ApiProperty({ type: Number, format: 'double', nullable: true })
  p95_ms: number | null;
}

class MessageFiguresResponse {
  total: number;

  /** Messages by status; a status that none has is not named. */
  @ApiProperty(BY_STATUS)
  inbound: Record<string, number>;

  @ApiProperty(BY_STATUS)
  outbound: Record<string, number>;

  /** The share, from 0 to 1, of what was handed to WhatsApp that reached a phone; null where nothing was. */
  @ApiProperty(SHARE)
  delivery_rate: number | null;

  /** The share of the same that was read. */
  @ApiProperty(SHARE)
  read_rate: number | null;

  /** From its acceptance, or from `scheduled_at` where that is later. Messages written on the phone are not among them. */
  accept_to_sent: DelayResponse;

  /** From when it was sent. WhatsApp says in whole seconds when it was delivered. */
  sent_to_delivered: DelayResponse;
}

class MessageStatsGroupResponse extends MessageFiguresResponse {
  /**
   * The hour's beginning (UTC), the day (`2026-11-24`), or the id of session, campaign or agent; null for messages without
   * one.
   */
  @ApiProperty({ type: String, nullable: true })
  key: string | null;
}

/** Figures of all messages of that time, and of each group of them. */
export class MessageStatsResponse extends MessageFiguresResponse {
  /** What was counted, from the beginning where it is null, and up to where. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  from: Date | null;
  to: Date;

  /** Whose hours and days they are (IANA). */
  time_zone: string;

  @ApiProperty({ enum: GROUPINGS, nullable: true })
  group_by: Grouping | null;

  /** Hours and days in their order, without those in which nothing was; others by the number of their messages. */
  @ApiProperty({ type: [MessageStatsGroupResponse] })
  groups: MessageStatsGroupResponse[];

  /** Whether there are more than these 1,000 groups. */
  truncated: boolean;
}

/** Lists each field by hand. */
export const messageStatsResponse = (stats: MessageStats, groupBy: Grouping | undefined): MessageStatsResponse => ({
  from: stats.from,
  to: stats.to,
  time_zone: stats.timeZone,
  group_by: groupBy ?? null,
  ...figuresResponse(stats.figures),
  groups: stats.groups.map(({ key, figures }) => ({ key, ...figuresResponse(figures) })),
  truncated: stats.truncated,
});

const figuresResponse = (figures: Figures): MessageFiguresResponse => ({
  total: figures.total,
  inbound: figures.inbound,
  outbound: figures.outbound,
  delivery_rate: figures.deliveryRate,
  read_rate: figures.readRate,
  accept_to_sent: delayResponse(figures.acceptToSent),
  sent_to_delivered: delayResponse(figures.sentToDelivered),
});

const delayResponse = ({ messages, medianMs, p95Ms }: Delay): DelayResponse => ({
  messages,
  median_ms: medianMs,
  p95_ms: p95Ms,
});
