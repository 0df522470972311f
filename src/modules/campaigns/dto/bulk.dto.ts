import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { plainToInstance, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsObject,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { parseExactly } from '../../../common/written-numbers';
import { MAX_TEXT_CHARACTERS } from '../../../common/message-text';
import { DistinctItems } from '../../../platform/http/distinct.rule';
import { freePropertiesOf } from '../../../platform/http/free-object.rule';
import { Id } from '../../../platform/http/id.rule';
import { inheritedNames } from '../../../platform/http/inherited-names';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import { unstorableField } from '../../../platform/http/storable-body';
import { WholeNumber } from '../../../platform/http/whole-number.rule';
import { CustomerConditionsDto } from '../../customers/dto/audience.dto';
import { SendMessageDto } from '../../messages/dto/send-message.dto';

const MAX_SESSIONS = 50;
const MAX_RECIPIENTS = 10_000;

/** What is no JSON, or could not stand in a body, stays the text that it is, and is refused as that. */
function messageOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    const message = parseExactly(value);
    const isSound = !unstorableField(message) && inheritedNames(message, freePropertiesOf(BulkMessageDto)).length === 0;
    return isSound ? plainToInstance(BulkMessageDto, message) : value;
  } catch {
    return value;
  }
}

const lowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

/** What is sent to each: a message without its recipient, whose text or caption may hold `{{variables}}`. */
export class BulkMessageDto extends OmitType(SendMessageDto, [
  'session_id',
  'to',
  'reply_to',
  'scheduled_at',
  'template_id',
  'variables',
] as const) {}

/** How fast the campaign goes at most, whatever its sessions may. */
export class BulkPaceDto {
  /** Messages a minute from each session. */
  @IsInt()
  @Min(1)
  @Max(60_000)
  per_minute: number;
}

/** Somebody to write to. */
export class RecipientDto {
  /** A phone number with country code, or a WhatsApp chat id. */
  to: string;

  /** Texts or numbers by the names of the variables. */
  @ApiPropertyOptional({ type: Object, additionalProperties: true })
  variables?: Record<string, unknown>;
}

/** Whom a campaign is for, instead of a list. */
export class AudienceDto {
  /** Each of them once. Variables of the text are `name`, `email`, `tier`, `vip_tier` and `id`. */
  @IsObject()
  @ValidateNested()
  @Type(() => CustomerConditionsDto)
  customers: CustomerConditionsDto;
}

class BulkOptionsDto {
  /** The session to send from; may be left out where the tenant has one. */
  @Optional()
  @Id()
  session_id?: string;

  /** What people call the campaign. */
  @ApiPropertyOptional({ type: String, maxLength: 200 })
  @Optional()
  @DisplayName(200)
  name?: string;

  /** The template to send, instead of a message. */
  @Optional()
  @Id()
  template_id?: string;

  /** Not before this time, at most a year ahead (RFC 3339). */
  @Optional()
  @Rfc3339()
  scheduled_at?: Date;
}

/** A message to many, with its recipients. */
export class BulkDto extends BulkOptionsDto {
  /** Sessions to send from in turn; somebody whom one of them knows is written to by that one. */
  @ApiPropertyOptional({ type: [String], maxItems: MAX_SESSIONS })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(lowerCase) : value))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SESSIONS)
  @DistinctItems(MAX_SESSIONS)
  @IsUUID('all', { each: true, message: 'each of $property must be a UUID' })
  session_ids?: string[];

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => BulkMessageDto)
  message?: BulkMessageDto;

  /** Each is looked at by itself: those who cannot be written to are told of in the answer. */
  @ApiPropertyOptional({ type: [RecipientDto], minItems: 1, maxItems: MAX_RECIPIENTS })
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_RECIPIENTS)
  recipients?: unknown[];

  /** Instead of `recipients`. */
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => AudienceDto)
  audience?: AudienceDto;

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => BulkPaceDto)
  pace?: BulkPaceDto;

  /** Answers what would be, with an estimate, and sends nothing. */
  @Optional()
  @IsBoolean()
  dry_run?: boolean;
}

/** The rest of what is said of a campaign, where its body is the list of its recipients. */
export class BulkQuery extends BulkOptionsDto {
  /** Sessions to send from in turn, separated by commas. */
  @ApiPropertyOptional({ type: String })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase().split(',') : value))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SESSIONS)
  @DistinctItems(MAX_SESSIONS)
  @IsUUID('all', { each: true, message: 'each of $property must be a UUID' })
  session_ids?: string[];

  /** The text to send, instead of a template; it may hold `{{variables}}`. */
  @Optional()
  @IsString()
  @Length(1, MAX_TEXT_CHARACTERS)
  @Matches(/\S/, { message: 'text must not be blank' })
  text?: string;

  /** The message to send as JSON, as `message` of a JSON body: a text with more to it, a file, a place, a card or a poll. */
  @ApiPropertyOptional({ type: String, example: '{"media":{"url":"https://shop.example/new.jpg"},"type":"image"}' })
  @Optional()
  @Transform(({ value }: { value: unknown }) => messageOf(value))
  @IsObject({ message: 'message must be a message as JSON' })
  @ValidateNested()
  message?: BulkMessageDto;

  /** Messages a minute from each session, at most. */
  @ApiPropertyOptional({ minimum: 1, maximum: 60_000 })
  @Optional()
  @WholeNumber({ min: 1, max: 60_000 })
  per_minute?: number;

  /** What has not been handed to WhatsApp by then is `expired` (RFC 3339). */
  @Optional()
  @Rfc3339()
  expires_at?: Date;

  /** Answers what would be, with an estimate, and sends nothing. */
  @ApiPropertyOptional({ type: Boolean })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  dry_run?: boolean;
}
