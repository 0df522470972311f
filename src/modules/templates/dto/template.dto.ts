import { IsString, Length, Matches } from 'class-validator';
import { MAX_TEXT_CHARACTERS } from '../../../common/message-text';
import { DisplayName } from '../../../platform/http/name.rule';
import { Language } from '../../../platform/http/language.rule';
import { Optional } from '../../../platform/http/optional.rule';

const NAME_CHARACTERS = 100;

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
}
