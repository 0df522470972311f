import { IsInt, Max, Min, registerDecorator } from 'class-validator';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { isPlainFileName, MAX_FILE_NAME_CHARACTERS } from '../../../platform/storage/file-name';

const WEEK_S = 7 * 24 * 3600;

/** No folder in it, and nothing that is not seen. */
const PlainFileName = (): PropertyDecorator => (target, propertyName) =>
  registerDecorator({
    name: 'plainFileName',
    target: target.constructor,
    propertyName: String(propertyName),
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isPlainFileName(value),
      defaultMessage: () =>
        '$property must not name a folder nor hold control characters or marks that turn text around',
    },
  });

export class UpdateFileDto {
  /** What it is called from now on; another ending makes it no other file. @example "invoice.pdf" */
  @Optional()
  @DisplayName(MAX_FILE_NAME_CHARACTERS)
  @PlainFileName()
  name?: string;
}

export class LinkFileDto {
  /** How long the link opens the file, in seconds; at most seven days. */
  @Optional()
  @IsInt()
  @Min(1)
  @Max(WEEK_S)
  expires_in_s?: number = 600;
}
