import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsEmail, MaxLength } from 'class-validator';

/** RFC 5321 §4.5.3.1.3: a path holds 256 octets, its two brackets included. */
export const MAX_EMAIL_CHARACTERS = 254;

/** How an email is kept and compared: trimmed, one spelling of each letter, lower-case. */
export const normalizeEmail = (text: string): string => text.toWellFormed().trim().normalize('NFC').toLowerCase();

/** An email address in whatever spelling; the handler sees the normal one. */
export function Email(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? normalizeEmail(value) : value)),
    IsEmail(),
    MaxLength(MAX_EMAIL_CHARACTERS),
    ApiProperty({ format: 'email', maxLength: MAX_EMAIL_CHARACTERS, example: 'jane@acme.example' }),
  );
}
