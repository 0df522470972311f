import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsLatitude,
  IsLongitude,
  IsNumber,
  IsString,
  Length,
  Matches,
} from 'class-validator';
import { MAX_CAPTION_CHARACTERS } from '../../../common/message-text';
import { DistinctItems } from '../../../platform/http/distinct.rule';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { MediaNameDto } from '../../templates/dto/media-source.dto';

export class LocationDto {
  /** Degrees, north is positive. @example 51.5074 */
  @ApiProperty({ format: 'double' })
  @IsNumber()
  @IsLatitude()
  latitude: number;

  /** Degrees, east is positive. @example -0.1278 */
  @ApiProperty({ format: 'double' })
  @IsNumber()
  @IsLongitude()
  longitude: number;

  /** @example "Our shop" */
  @Optional()
  @IsString()
  @Length(1, 200)
  title?: string;
}

export class ContactDto {
  /** @example "Ada Lovelace" */
  @IsString()
  @Length(1, 200)
  @Matches(/\S/, { message: 'full_name must not be blank' })
  full_name: string;

  /** With country code. @example "+44 20 7946 0958" */
  @IsString()
  @Length(5, 32)
  phone_number: string;

  @Optional()
  @IsString()
  @Length(1, 200)
  organization?: string;
}

export class MediaDto extends MediaNameDto {
  /** Where the file is fetched from, once, before it is sent: http or https, public, at most 2,048 characters; either this or `file_id`. @example "https://example.com/invoice.pdf" */
  @Optional()
  @IsString()
  @Length(1, 2_048)
  url?: string;

  /** A file of yours (`POST /files`), or one that came in; either this or `url`; a key needs `files:read` besides. The message keeps its bytes, though the file be deleted. */
  @Optional()
  @Id()
  file_id?: string;

  /** A text below it; not with `voice`. */
  @Optional()
  @IsString()
  @Length(1, MAX_CAPTION_CHARACTERS)
  @Matches(/\S/, { message: 'caption must not be blank' })
  caption?: string;
}

export class PollDto {
  /** The question. @example "When shall we deliver?" */
  @IsString()
  @Length(1, 255)
  @Matches(/\S/, { message: 'name must not be blank' })
  name: string;

  /** Two to twelve different answers, as WhatsApp takes them. @example ["Morning", "Evening"] */
  @IsArray()
  @ArrayMinSize(2)
  @ArrayMaxSize(12)
  @IsString({ each: true })
  @Length(1, 100, { each: true })
  @DistinctItems(12)
  options: string[];

  /** Whether more than one may be chosen. */
  @Optional()
  @IsBoolean()
  multiple?: boolean;
}
