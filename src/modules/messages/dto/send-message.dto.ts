import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsObject, IsOptional, IsUUID, Length } from 'class-validator';
import { IsSmallObject } from '../../../platform/http/small-object.rule';

export class SendMessageDto {
  /** The session to send from; may be left out where the tenant has one. */
  @IsOptional()
  @IsUUID()
  session_id?: string;

  /** A phone number with country code, in any common spelling, or a WhatsApp chat id. @example "+44 20 7946 0958" */
  @Length(5, 128)
  to: string;

  /** What kind of message. */
  @IsOptional()
  @IsIn(['text'])
  type?: 'text';

  /** At most 65,536 characters, as WhatsApp takes them. @example "Your order is ready." */
  @Length(1, 65_536)
  text: string;

  /** Whether WhatsApp shows a preview of the first link. */
  @IsOptional()
  @IsBoolean()
  link_preview?: boolean = true;

  /** Anything of yours, kept and given back; at most 4 KiB. */
  @ApiPropertyOptional({ type: Object, additionalProperties: true })
  @IsOptional()
  @IsObject()
  @IsSmallObject(4096)
  metadata?: Record<string, unknown>;
}
