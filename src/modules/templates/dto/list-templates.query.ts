import { IsString, Length } from 'class-validator';
import { Language } from '../../../platform/http/language.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';

/** Which templates are listed. */
export class ListTemplatesQuery extends PageQuery {
  /** The whole name, in whatever case. */
  @Optional()
  @DisplayName(100)
  name?: string;

  /** Exactly this language: `pt` does not find `pt-BR`. */
  @Optional()
  @Language()
  language?: string;

  /** A part of the name or of the text, in whatever case. */
  @Optional()
  @IsString()
  @Length(1, 200)
  q?: string;
}
