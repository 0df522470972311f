import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { MESSAGE_STATUSES, type MessageStatus } from '../message-status';
import { ContactDto, LocationDto, PollDto } from './message-parts.dto';
import type { MessageEventRow, MessageRow, ReactionRow } from '../messages.repository';

/** What somebody answered with a single emoji. */
export class ReactionResponse {
  emoji: string;
  /** Whose it is: a WhatsApp chat id, or `me` for the session's own account. */
  from: string;
  /** When, by WhatsApp's time. */
  at: Date;
}

export { MESSAGE_STATUSES, type MessageStatus };

/** A message, sent or received. */
export class MessageResponse {
  id: string;
  session_id: string;
  /**
   * The other side: a WhatsApp chat id. What is sent to another id of somebody goes to the one that WhatsApp uses, the phone where that is
   * known; what was received keeps the id under which it came.
   */
  chat: string;
  @ApiProperty({ enum: ['inbound', 'outbound'] })
  direction: string;
  type: string;
  @ApiProperty({ enum: MESSAGE_STATUSES })
  status: string;
  @ApiProperty({ type: String, nullable: true })
  text: string | null;
  /**
   * Its file: `state` (`pending`, `stored`, `failed`), `mime_type`, `filename`, `size` in bytes, of one to send the `url`, and of one
   * that was received and could not be had `error_code` and `error`; null where there is none. Once it is stored, `GET /messages/:id/media` serves it.
   */
  @ApiProperty({ type: Object, nullable: true, additionalProperties: true })
  media: unknown;
  /** The place that was sent; null in other messages. */
  @ApiProperty({ type: LocationDto, nullable: true })
  location: unknown;
  /** The card that was sent; null in other messages. */
  @ApiProperty({ type: ContactDto, nullable: true })
  contact: unknown;
  /** The poll that was sent; null in other messages. */
  @ApiProperty({ type: PollDto, nullable: true })
  poll: unknown;
  /** The whole WhatsApp id of the message that it answers; null where it answers none. */
  @ApiProperty({ type: String, nullable: true })
  reply_to: unknown;
  /** The template that its text was taken from; only where there was one, and kept when that is deleted. */
  @ApiPropertyOptional({ format: 'uuid' })
  template_id?: string;
  /** Who wrote it, in a group; null otherwise. */
  @ApiProperty({ type: String, nullable: true })
  author: string | null;
  /** `api`: sent through this service; `app`: on the phone itself, or received. */
  @ApiProperty({ enum: ['api', 'app'] })
  source: string;
  /** The user who sent it; null for what was received or sent on the phone. */
  @ApiProperty({ type: String, nullable: true })
  created_by: string | null;
  /**
   * The campaign that it belongs to; absent in other messages. While its recipients still come in there is no such campaign
   * to be asked for yet; where that breaks off, the message goes with it.
   */
  campaign_id?: string;
  attempts: number;
  /** Stable code of the last failure; null when there was none. */
  @ApiProperty({ type: String, nullable: true })
  error_code: string | null;
  @ApiProperty({ type: String, nullable: true })
  error: string | null;
  @ApiProperty({ type: Boolean, nullable: true })
  retryable: boolean | null;
  @ApiProperty({ type: Object, additionalProperties: true })
  metadata: Record<string, unknown>;
  created_at: Date;
  /** Not sent before this time; null: at once. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  scheduled_at: Date | null;
  /** Not sent after this time; null: however late. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expires_at: Date | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  sent_at: Date | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  delivered_at: Date | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  read_at: Date | null;
  /** When it was edited last, by WhatsApp's time; `text` is what it says since. Only where it was. */
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  edited_at?: Date;
  /** When it was taken back: what it said is gone. Only where it was. */
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  revoked_at?: Date;
  /** Only where it is asked for by its id, and there are any. */
  @ApiPropertyOptional({ type: [ReactionResponse] })
  reactions?: ReactionResponse[];
}

/** One entry of a message's history. */
export class MessageEventResponse {
  at: Date;
  @ApiProperty({ enum: MESSAGE_STATUSES })
  status: string;
  @ApiProperty({ type: Number, nullable: true })
  attempt: number | null;
  @ApiProperty({ type: String, nullable: true })
  error_code: string | null;
  @ApiProperty({ type: String, nullable: true })
  note: string | null;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const messageResponse = (row: MessageRow): MessageResponse => ({
  id: row.id,
  session_id: row.session_id,
  chat: row.chat,
  direction: row.direction,
  type: row.type,
  status: row.status,
  text: row.body,
  media: row.content.media ?? null,
  location: row.content.location ?? null,
  contact: row.content.contact ?? null,
  poll: row.content.poll ?? null,
  reply_to: row.content.quoted ?? null,
  ...templateOf(row),
  author: row.author,
  source: row.source,
  created_by: row.created_by,
  ...(row.campaign_id === null ? {} : { campaign_id: row.campaign_id }),
  attempts: row.attempts,
  error_code: row.error_code,
  error: row.error,
  retryable: row.retryable,
  metadata: row.metadata,
  created_at: row.created_at,
  scheduled_at: row.scheduled_at,
  expires_at: row.expires_at,
  sent_at: row.sent_at,
  delivered_at: row.delivered_at,
  read_at: row.read_at,
  ...(row.edited_at && { edited_at: row.edited_at }),
  ...(row.revoked_at && { revoked_at: row.revoked_at }),
});

/** The same, where one message is looked at. */
export const viewedMessageResponse = (row: MessageRow, reactions: ReactionRow[]): MessageResponse => ({
  ...messageResponse(row),
  ...(reactions.length > 0 && { reactions: reactions.map(({ emoji, sender, at }) => ({ emoji, from: sender, at })) }),
});

/** What was sent by itself has no such field: most messages are, and lists of them are long. */
const templateOf = ({ content }: MessageRow): Pick<MessageResponse, 'template_id'> =>
  typeof content.template_id === 'string' ? { template_id: content.template_id } : {};

/** Lists each field by hand, as above. */
export const messageEventResponse = ({
  at,
  status,
  attempt,
  error_code,
  note,
}: MessageEventRow): MessageEventResponse => ({
  at,
  status,
  attempt,
  error_code,
  note,
});
