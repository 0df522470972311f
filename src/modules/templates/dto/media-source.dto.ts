import { IsString, Length, Matches } from 'class-validator';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';

/** What a file is called, in messages and templates alike. */
export class MediaNameDto {
  /** What the file is called there; else its own name, or the last part of its address. @example "invoice.pdf" */
  @Optional()
  @DisplayName(255)
  @Matches(/^[^/\\]*$/, { message: 'filename must be a name without a folder' })
  filename?: string;
}

/** Where the file of a template comes from. */
export class MediaSourceDto extends MediaNameDto {
  /** Where the file is fetched from, once, before it is sent: http or https, public, at most 2,048 characters. @example "https://example.com/invoice.pdf" */
  @IsString()
  @Length(1, 2_048)
  url: string;
}
