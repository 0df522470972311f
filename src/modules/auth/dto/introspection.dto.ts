import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, MaxLength } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';

const LONGEST_TOKEN = 8_192;

/** What is asked about (RFC 7662 §2.1). */
export class IntrospectionDto {
  @ApiProperty({ format: 'password', description: 'The access token' })
  @IsString()
  @Length(1, LONGEST_TOKEN)
  token: string;

  /** Changes nothing: a token shows what it is. */
  @Optional()
  @IsString()
  @MaxLength(100)
  token_type_hint?: string;
}
