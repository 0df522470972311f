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
import { Defaults } from '../../../../platform/http/openapi-defaults';
import { Optional, OptionalOrNull } from '../../../../platform/http/optional.rule';
import { PATH_TYPES, type PathType, STRATEGIES, type Strategy } from '../../gateway-route';
import { REFUSED_METHODS } from '../../proxy/request-head';
import { MAX_PATH_CHARACTERS } from '../path-rules';
import { MAX_PATTERN_CHARACTERS } from '../route-pattern';
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
/** The same for a reader of the API's description, where no pattern tells them from others. */
const METHOD_SHAPE = { minLength: 3, maxLength: 20, pattern: '^[A-Za-z-]+$' };
/** RFC 1123, or an IPv4 address; without a port. */
const HOST =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

const PATH_TEXT = `Of \`exact\` and \`prefix\` a path as it stands in a request, beginning with \`/\`; of \`regex\` a regular expression of RE2 over all of it, at most ${MAX_PATTERN_CHARACTERS} characters of printable ASCII`;
const UPSTREAMS_TEXT = 'The services behind it, each named once';

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
    type: 'array',
    items: { type: 'string', ...METHOD_SHAPE },
    nullable: true,
    minItems: 1,
    maxItems: MAX_METHODS,
    description:
      'Methods that it takes, in whatever case, HEAD wherever GET: any of HTTP but CONNECT, TRACE and TRACK; `null`: all',
    example: ['GET', 'POST'],
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
    minLength: 1,
    maxLength: 253,
    pattern: HOST.source,
    description: 'Only requests for this host, whatever the port; `null`: any',
    example: 'shop.example',
  })
  @OptionalOrNull()
  @IsString()
  @Matches(HOST, { message: 'host must be a host name without a port' })
  host?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: -MAX_PRIORITY,
    maximum: MAX_PRIORITY,
    description: 'Of regular expressions: the higher is asked first, of equal ones the older',
  })
  @Optional()
  @IsInt()
  @Min(-MAX_PRIORITY)
  @Max(MAX_PRIORITY)
  priority?: number;

  @ApiPropertyOptional({ enum: STRATEGIES, description: 'How requests are shared out over the upstreams' })
  @Optional()
  @IsIn(STRATEGIES)
  strategy?: Strategy;

  @ApiPropertyOptional({
    description: 'Whether a prefix is left out of what the upstream is asked for; not beside `rewrite`',
  })
  @Optional()
  @IsBoolean()
  strip_prefix?: boolean;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    minLength: 1,
    maxLength: MAX_PATH_CHARACTERS,
    pattern: '^/',
    description: 'Takes the place of what `path` matched; `$1` to `$9` are the groups of a regular expression',
    example: '/v2',
  })
  @OptionalOrNull()
  @IsString()
  @Length(1, MAX_PATH_CHARACTERS)
  rewrite?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: MIN_TIMEOUT_MS,
    maximum: MAX_TIMEOUT_MS,
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

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_PER_MINUTE,
    nullable: true,
    description: 'Requests a minute of all keys of the tenant together; `null`: as many as their own limits allow',
    example: 600,
  })
  @OptionalOrNull()
  @IsInt()
  @Min(1)
  @Max(MAX_PER_MINUTE)
  rate_limit_per_minute?: number | null;

  @ApiPropertyOptional({ description: 'One that is off takes nothing, and is in no other’s way' })
  @Optional()
  @IsBoolean()
  enabled?: boolean;
}

/** A route, whole: what is not named has its default. */
@Defaults(ROUTE_DEFAULTS)
export class RouteDto extends RouteOptionsDto {
  @ApiProperty({ minLength: 1, maxLength: MAX_PATH_CHARACTERS, description: PATH_TEXT, example: '/shop' })
  @IsString()
  @Length(1, MAX_PATH_CHARACTERS)
  path: string;

  @ApiProperty({ enum: PATH_TYPES, description: 'How `path` is read' })
  @IsIn(PATH_TYPES)
  path_type: PathType;

  @ApiProperty({ type: [UpstreamDto], minItems: 1, maxItems: MAX_UPSTREAMS, description: UPSTREAMS_TEXT })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_UPSTREAMS)
  @ValidateNested({ each: true })
  @Type(() => UpstreamDto)
  upstreams: UpstreamDto[];
}

/** What is to change of a route; what is not named stays. Lists and `headers` are replaced whole. */
export class UpdateRouteDto extends RouteOptionsDto {
  @ApiPropertyOptional({ minLength: 1, maxLength: MAX_PATH_CHARACTERS, description: PATH_TEXT, example: '/shop' })
  @Optional()
  @IsString()
  @Length(1, MAX_PATH_CHARACTERS)
  path?: string;

  @ApiPropertyOptional({ enum: PATH_TYPES, description: 'How `path` is read' })
  @Optional()
  @IsIn(PATH_TYPES)
  path_type?: PathType;

  @ApiPropertyOptional({ type: [UpstreamDto], minItems: 1, maxItems: MAX_UPSTREAMS, description: UPSTREAMS_TEXT })
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
  @ApiProperty({
    ...METHOD_SHAPE,
    description: 'Any of HTTP but CONNECT, TRACE and TRACK, in whatever case',
    example: 'GET',
  })
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
