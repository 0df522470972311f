import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsDate, IsIn, IsOptional, IsUUID, Length } from 'class-validator';
import { PageQuery } from '../../../platform/http/page.query';
import { MESSAGE_STATUSES, type MessageStatus } from '../message-status';

export class ListMessagesQuery extends PageQuery {
  @IsOptional()
  @IsUUID()
  session_id?: string;

  /** A phone number or chat id. */
  @IsOptional()
  @Length(5, 128)
  chat?: string;

  @IsOptional()
  @IsIn(['inbound', 'outbound'])
  direction?: 'inbound' | 'outbound';

  @ApiPropertyOptional({ enum: MESSAGE_STATUSES })
  @IsOptional()
  @IsIn(MESSAGE_STATUSES)
  status?: MessageStatus;

  @IsOptional()
  @Length(1, 32)
  type?: string;

  /** Accepted or received at this time or later (RFC 3339). */
  @IsOptional()
  @Type(() => Date)
  @IsDate()
  from?: Date;

  /** Accepted or received before this time (RFC 3339). */
  @IsOptional()
  @Type(() => Date)
  @IsDate()
  to?: Date;
}
