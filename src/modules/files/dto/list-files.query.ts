import { IsString, Length, Matches } from 'class-validator';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';

/** Which files are listed. */
export class ListFilesQuery extends PageQuery {
  /** Of that user or key. */
  @Optional()
  @Id()
  user_id?: string;

  /** Exactly this type, or all of a kind. @example "image/*" */
  @Optional()
  @IsString()
  @Length(1, 200)
  @Matches(/^[\w.+-]+\/(?:\*|[\w.+; =-]+)$/, {
    message: 'mime_type must be a media type, such as image/png or image/*',
  })
  mime_type?: string;

  /** A part of the name, in whatever case. */
  @Optional()
  @IsString()
  @Length(1, 200)
  q?: string;
}
