import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length, Matches } from 'class-validator';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { LookedPageQuery } from '../../../platform/http/page.query';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import { MESSAGE_STATUSES, type MessageStatus } from '../message-status';

export class ListMessagesQuery extends LookedPageQuery {
  @Optional()
  @Id()
  session_id?: string;

  /** A phone number or chat id. Of a person each id finds what went under any of them: the phone, its other spelling, the hidden one. */
  @Optional()
  @IsString()
  @Length(5, 128)
  chat?: string;

  @Optional()
  @IsIn(['inbound', 'outbound'])
  direction?: 'inbound' | 'outbound';

  /** Of that campaign. */
  @Optional()
  @Id()
  campaign_id?: string;

  @ApiPropertyOptional({ enum: MESSAGE_STATUSES })
  @Optional()
  @IsIn(MESSAGE_STATUSES)
  status?: MessageStatus;

  @Optional()
  @IsString()
  @Length(1, 32)
  type?: string;

  /** Accepted or received at this time or later (RFC 3339). */
  @Optional()
  @Rfc3339()
  from?: Date;

  /** Accepted or received before this time (RFC 3339). */
  @Optional()
  @Rfc3339()
  to?: Date;

  /**
   * Words that its text (or caption, or question) holds, each of them somewhere, in whatever case. At most ten of them.
   * @example "order ready"
   */
  @Optional()
  @IsString()
  @Length(1, 200)
  @Matches(/^\s*(?:\S+\s*){1,10}$/, { message: 'q must hold one to ten words' })
  q?: string;
}
