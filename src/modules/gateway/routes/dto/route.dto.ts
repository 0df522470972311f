import { METHODS } from 'node:http';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { Optional, OptionalOrNull } from '../../../../platform/http/optional.rule';
import { PATH_TYPES, type PathType, STRATEGIES, type Strategy } from '../../gateway-route';
import { REFUSED_METHODS } from '../../proxy/request-head';
import { MAX_PATH_CHARACTERS } from '../path-rules';
import { ROUTE_DEFAULTS, type RouteFields } from '../stored-route';
import { RouteHeaders, type RouteHeadersDto } from './route-headers.rule';

const MAX_METHODS = 40;
const MAX_UPSTREAMS = 16;
const MAX_WEIGHT = 1_000;
const MAX_PRIORITY = 10_000;
const MAX_RETRIES = 5;
const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 300_000;
const MAX_PER_MINUTE = 1_000_000;
/** A method that reaches the gateway and is passed on, in whatever case: others are no request to the parser. */
const METHOD = new RegExp(`^(?:${METHODS.filter((method) => !REFUSED_METHODS.has(method)).join('|')})$`, 'i');
/** RFC 1123, or an address; without a port. */
const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** A service behind a route. */
export class UpstreamDto {
  /** Origin, with a path in front of the request's where it has one. @example https://shop.example/v2 */
  @IsString()
  @Length(1, 2_048)
  url: string;

  /** Its share, beside those of the others. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_WEIGHT, default: 1 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(MAX_WEIGHT)
  weight?: number;
}

/** What may be left out of a route. */
class RouteOptionsDto {
  @ApiPropertyOptional({
    type: [String],
    nullable: true,
    maxItems: MAX_METHODS,
    description: 'Methods that it takes, HEAD wherever GET; `null`, the default: all',
  })
  @OptionalOrNull()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_METHODS)
  @IsString({ each: true })
  @Matches(METHOD, { each: true, message: '$property must be methods that can be passed on' })
  methods?: string[] | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 253,
    description: 'Only requests for this host, whatever the port; `null`, the default: any',
  })
  @OptionalOrNull()
  @IsString()
  @Matches(HOST, { message: 'host must be a host name without a port' })
  host?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: -MAX_PRIORITY,
    maximum: MAX_PRIORITY,
    default: 0,
    description: 'Of regular expressions: the higher is asked first, of equal ones the older',
  })
  @Optional()
  @IsInt()
  @Min(-MAX_PRIORITY)
  @Max(MAX_PRIORITY)
  priority?: number;

  @ApiPropertyOptional({ enum: STRATEGIES, default: ROUTE_DEFAULTS.strategy })
  @Optional()
  @IsIn(STRATEGIES)
  strategy?: Strategy;

  @ApiPropertyOptional({
    default: false,
    description: 'Whether a prefix is left out of what the upstream is asked for',
  })
  @Optional()
  @IsBoolean()
  strip_prefix?: boolean;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: MAX_PATH_CHARACTERS,
    description: 'Takes the place of what `path` matched; `$1` to `$9` are the groups of a regular expression',
  })
  @OptionalOrNull()
  @IsString()
  @Length(1, MAX_PATH_CHARACTERS)
  rewrite?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: MIN_TIMEOUT_MS,
    maximum: MAX_TIMEOUT_MS,
    default: ROUTE_DEFAULTS.timeout_ms,
    description: 'Of each attempt, until the head of the answer is there',
  })
  @Optional()
  @IsInt()
  @Min(MIN_TIMEOUT_MS)
  @Max(MAX_TIMEOUT_MS)
  timeout_ms?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_RETRIES,
    default: 0,
    description: 'Further attempts, each at another upstream, of methods that may be repeated',
  })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(MAX_RETRIES)
  retries?: number;

  @Optional()
  @RouteHeaders()
  headers?: RouteHeadersDto;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PER_MINUTE, nullable: true })
  @OptionalOrNull()
  @IsInt()
  @Min(1)
  @Max(MAX_PER_MINUTE)
  rate_limit_per_minute?: number | null;

  @ApiPropertyOptional({ default: true })
  @Optional()
  @IsBoolean()
  enabled?: boolean;
}

/** A route, whole: what is not named has its default. */
export class RouteDto extends RouteOptionsDto {
  /** A path as it stands in a request, or a regular expression over all of it. @example /shop */
  @IsString()
  @Length(1, MAX_PATH_CHARACTERS)
  path: string;

  @ApiProperty({ enum: PATH_TYPES })
  @IsIn(PATH_TYPES)
  path_type: PathType;

  @ApiProperty({ type: [UpstreamDto], minItems: 1, maxItems: MAX_UPSTREAMS })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_UPSTREAMS)
  @ValidateNested({ each: true })
  @Type(() => UpstreamDto)
  upstreams: UpstreamDto[];
}

/** What is to change of a route; what is not named stays. Lists and `headers` are replaced whole. */
export class UpdateRouteDto extends RouteOptionsDto {
  @ApiPropertyOptional({ maxLength: MAX_PATH_CHARACTERS })
  @Optional()
  @IsString()
  @Length(1, MAX_PATH_CHARACTERS)
  path?: string;

  @ApiPropertyOptional({ enum: PATH_TYPES })
  @Optional()
  @IsIn(PATH_TYPES)
  path_type?: PathType;

  @ApiPropertyOptional({ type: [UpstreamDto], minItems: 1, maxItems: MAX_UPSTREAMS })
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_UPSTREAMS)
  @ValidateNested({ each: true })
  @Type(() => UpstreamDto)
  upstreams?: UpstreamDto[];
}

/** A request that is only thought of. */
export class TryRouteDto {
  /** @example GET */
  @IsString()
  @Matches(METHOD, { message: 'method must be one that can be passed on' })
  method: string;

  /** As it would stand in the request, with or without a query. @example /shop/cart?full=1 */
  @IsString()
  @Length(1, 2 * MAX_PATH_CHARACTERS)
  path: string;

  /** What the request's `Host` would be. @example shop.example */
  @Optional()
  @IsString()
  @MaxLength(260)
  host?: string;
}

/** What of the fields the body names, as they are stored. */
export function routeChangeOf(dto: UpdateRouteDto): Partial<RouteFields> {
  const { upstreams, headers, ...rest } = dto;
  const fields: { [F in keyof RouteFields]?: RouteFields[F] | undefined } = {
    ...rest,
    upstreams: upstreams?.map(({ url, weight = 1 }) => ({ url, weight })),
    headers: headers && { set: headers.set ?? {}, remove: headers.remove ?? [] },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** All fields of a route. */
export function routeFieldsOf(dto: RouteDto): RouteFields {
  const { path, path_type, upstreams } = dto;
  const required = { path, path_type, upstreams: upstreams.map(({ url, weight = 1 }) => ({ url, weight })) };
  return { ...ROUTE_DEFAULTS, headers: { set: {}, remove: [] }, ...required, ...routeChangeOf(dto) };
}
