import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, IsString, Length, Matches, ValidateNested } from 'class-validator';
import { MAX_TEXT_CHARACTERS } from '../../../common/message-text';
import { FreeObject } from '../../../platform/http/free-object.rule';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import { Variables, type VariableValues } from '../../templates/dto/variables.dto';
import { SENT_TYPES, type SentType } from '../message-content';
import { ContactDto, LocationDto, MediaDto, PollDto } from './message-parts.dto';

export class SendMessageDto {
  /** The session to send from; may be left out where the tenant has one. */
  @Optional()
  @Id()
  session_id?: string;

  /** A phone number with country code, in any common spelling, or a WhatsApp chat id. @example "+44 20 7946 0958" */
  @IsString()
  @Length(5, 128)
  to: string;

  /**
   * What kind of message: that of the one field that holds it, and may be left out; with `media` one of `image`, `file`,
   * `voice` and `video`.
   */
  @ApiPropertyOptional({ enum: SENT_TYPES })
  @Optional()
  @IsIn(SENT_TYPES)
  type?: SentType;

  /** At most 65,536 characters, as WhatsApp takes them. @example "Your order is ready." */
  @Optional()
  @IsString()
  @Length(1, MAX_TEXT_CHARACTERS)
  @Matches(/\S/, { message: 'text must not be blank' })
  text?: string;

  /** A template to take the text from, instead of a text: as it is now, later changes do not reach the message. */
  @Optional()
  @Id()
  template_id?: string;

  /** A value for each variable of the template; others are left aside. */
  @Optional()
  @Variables()
  variables?: VariableValues;

  /** A place, instead of a text. */
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => LocationDto)
  location?: LocationDto;

  /** A card, instead of a text. */
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => ContactDto)
  contact?: ContactDto;

  /** A poll, instead of a text. */
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => PollDto)
  poll?: PollDto;

  /** A file, instead of a text; `type` says as what. It is fetched and kept before the message is sent. */
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => MediaDto)
  media?: MediaDto;

  /** The message of the same chat that this one answers: its id here, or the whole id that WhatsApp gave it. */
  @Optional()
  @IsString()
  @Length(5, 512)
  reply_to?: string;

  /** Not before this time, at most a year ahead; it is `scheduled` until then (RFC 3339). */
  @Optional()
  @Rfc3339()
  scheduled_at?: Date;

  /** Not after this time: what has not been handed to WhatsApp by then is `expired` (RFC 3339). */
  @Optional()
  @Rfc3339()
  expires_at?: Date;

  /** Whether WhatsApp shows a preview of the first link. */
  @Optional()
  @IsBoolean()
  link_preview?: boolean = true;

  /** Anything of yours, kept and given back; at most 4 KiB. */
  @ApiPropertyOptional({ type: Object, additionalProperties: true })
  @Optional()
  @FreeObject(4096)
  metadata?: Record<string, unknown>;
}

export class RetryMessageDto {
  /** Needed for what may have been sent already (`unknown`, `stalled`): it may then arrive twice. */
  @Optional()
  @IsBoolean()
  force?: boolean;
}
