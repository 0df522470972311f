import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, IsUrl, Length, Matches, Max, Min } from 'class-validator';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';

/** Where the server is, without a slash at the end. It is the operator's word: private addresses are what it mostly has. */
const BaseUrl = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.trim().replace(/\/+$/, '') : value,
    ),
    IsString(),
    Length(1, 500),
    IsUrl(
      {
        protocols: ['http', 'https'],
        require_protocol: true,
        require_tld: false,
        require_host: true,
        disallow_auth: true,
        allow_query_components: false,
        allow_fragments: false,
      },
      { message: '$property must be a URL (http:// or https://…) without credentials, query or fragment' },
    ),
    ApiProperty({ type: String, maxLength: 500, example: 'http://waha-1:3000' }),
  );

/** What travels in a header. */
const WahaApiKey = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(8, 500),
    Matches(/^[\x21-\x7e]*$/, { message: '$property must be of visible ASCII characters' }),
    ApiProperty({ type: String, minLength: 8, maxLength: 500 }),
  );

class ServerBoundsDto {
  /** How many sessions it takes; `null`: any number. */
  @ApiPropertyOptional({ type: Number, minimum: 1, maximum: 100_000, nullable: true })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100_000)
  capacity?: number | null;

  /** Servers of one group share their session storage, so that a login survives a move; `null`: it shares with none. */
  @ApiPropertyOptional({ type: String, minLength: 1, maxLength: 100, nullable: true, example: 'postgres-1' })
  @IsOptional()
  @IsString()
  @Length(1, 100)
  @Matches(/^[\w.:-]*$/, { message: '$property must be of letters, digits and . : _ -' })
  storage_group?: string | null;
}

/** A WAHA server that is to be registered. */
export class RegisterServerDto extends ServerBoundsDto {
  /** What people call it. @example "WAHA 1" */
  @DisplayName(100)
  name: string;

  @BaseUrl()
  base_url: string;

  /** Its plain API key; kept sealed and never shown. */
  @WahaApiKey()
  api_key: string;
}

/** What is to change of a WAHA server. */
export class UpdateServerDto extends ServerBoundsDto {
  @ApiProperty({ required: false })
  @Optional()
  @DisplayName(100)
  name?: string;

  /** Where it is reached now; `api_key` must be given along with it. */
  @ApiProperty({ required: false })
  @Optional()
  @BaseUrl()
  base_url?: string;

  /** Kept sealed and never shown. */
  @ApiProperty({ required: false })
  @Optional()
  @WahaApiKey()
  api_key?: string;
}
