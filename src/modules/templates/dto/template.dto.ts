import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsObject, IsString, Length, Matches, ValidateIf, ValidateNested } from 'class-validator';
import { MAX_TEXT_CHARACTERS } from '../../../common/message-text';
import { DisplayName } from '../../../platform/http/name.rule';
import { Language } from '../../../platform/http/language.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { TEMPLATE_MEDIA_TYPES, type TemplateMediaType } from '../template-media';
import { MediaSourceDto } from './media-source.dto';

const NAME_CHARACTERS = 100;

/** A file that is sent with the text as its caption. */
export class TemplateMediaDto extends MediaSourceDto {
  /** What it is sent as. */
  @IsIn(TEMPLATE_MEDIA_TYPES)
  type: TemplateMediaType;
}

export class CreateTemplateDto {
  /** Unique in the tenant for each language, whatever its case. @example "Order ready" */
  @DisplayName(NAME_CHARACTERS)
  name: string;

  /** The language that the text is in (BCP 47). */
  @Language()
  language: string;

  /** What is sent, once each `{{variable}}` has its value. @example "Hello {{name}}, your order {{order_no}} is ready." */
  @IsString()
  @Length(1, MAX_TEXT_CHARACTERS)
  @Matches(/\S/, { message: 'text must not be blank' })
  text: string;

  /** A file to send: the text is its caption, of at most 1,024 characters. It is fetched anew for each message. */
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => TemplateMediaDto)
  media?: TemplateMediaDto;
}

export class UpdateTemplateDto {
  /** Unique in the tenant for each language, whatever its case. */
  @Optional()
  @DisplayName(NAME_CHARACTERS)
  name?: string;

  /** The language that the text is in (BCP 47). */
  @Optional()
  @Language()
  language?: string;

  /** What is sent, once each `{{variable}}` has its value. */
  @Optional()
  @IsString()
  @Length(1, MAX_TEXT_CHARACTERS)
  @Matches(/\S/, { message: 'text must not be blank' })
  text?: string;

  /** A file to send, with the text as its caption; `null`: none any more. */
  @ApiPropertyOptional({ type: TemplateMediaDto, nullable: true })
  @ValidateIf((_object, value) => value !== undefined && value !== null)
  @IsObject()
  @ValidateNested()
  @Type(() => TemplateMediaDto)
  media?: TemplateMediaDto | null;
}
