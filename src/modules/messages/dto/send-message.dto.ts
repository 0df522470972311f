import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, Length, Matches } from 'class-validator';
import { FreeObject } from '../../../platform/http/free-object.rule';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';

export class SendMessageDto {
  /** The session to send from; may be left out where the tenant has one. */
  @Optional()
  @Id()
  session_id?: string;

  /** A phone number with country code, in any common spelling, or a WhatsApp chat id. @example "+44 20 7946 0958" */
  @IsString()
  @Length(5, 128)
  to: string;

  /** What kind of message. */
  @Optional()
  @IsIn(['text'])
  type?: 'text';

  /** At most 65,536 characters, as WhatsApp takes them. @example "Your order is ready." */
  @IsString()
  @Length(1, 65_536)
  @Matches(/\S/, { message: 'text must not be blank' })
  text: string;

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
