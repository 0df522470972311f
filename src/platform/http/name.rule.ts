import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Length, Matches } from 'class-validator';

/** Something that is seen: neither a control or format character, nor a space, nor a mark that stands on another. */
const VISIBLE = /[^\p{C}\p{Z}\p{M}]/u;
/** Control characters alone: emoji are joined by format characters (`\p{Cf}`). */
const NO_CONTROL_CHARACTERS = /^\P{Cc}*$/u;

/**
 * A name that people read, of 1 to so many characters. The handler sees it trimmed and in one spelling of each letter (NFC),
 * so that two names that look the same are the same.
 */
export function DisplayName(maxCharacters: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim().normalize('NFC') : value)),
    IsString(),
    Length(1, maxCharacters),
    Matches(NO_CONTROL_CHARACTERS, { message: '$property must not contain control characters' }),
    Matches(VISIBLE, { message: '$property must not be blank' }),
    ApiProperty({ minLength: 1, maxLength: maxCharacters }),
  );
}
