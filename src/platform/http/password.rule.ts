import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, registerDecorator } from 'class-validator';
import { isCommonPassword } from '../crypto/common-passwords';
import { MAX_PASSWORD_BYTES } from '../crypto/password-hasher';

const MIN_PASSWORD_CHARACTERS = 10;

/** Far beyond any password that can be right; such a one is wrong, not malformed. */
const MAX_ATTEMPT_CHARACTERS = 1024;

const isNewPassword = (value: unknown): value is string =>
  typeof value === 'string' &&
  [...value].length >= MIN_PASSWORD_CHARACTERS &&
  Buffer.byteLength(value) <= MAX_PASSWORD_BYTES;

/** What is no password at all is the other rule's to refuse. */
const isUncommonPassword = async (value: unknown): Promise<boolean> =>
  !isNewPassword(value) || !(await isCommonPassword(value));

/** A password that somebody chooses: at least 10 characters, at most 72 bytes in UTF-8, and none of the common ones. */
export function NewPassword(): PropertyDecorator {
  const rule: PropertyDecorator = (target, propertyName) => {
    const at = { target: target.constructor, propertyName: String(propertyName) };
    registerDecorator({
      ...at,
      name: 'isNewPassword',
      validator: {
        validate: isNewPassword,
        defaultMessage: () => '$property must have at least 10 characters and at most 72 bytes',
      },
    });
    registerDecorator({
      ...at,
      name: 'isUncommonPassword',
      async: true,
      validator: {
        validate: isUncommonPassword,
        defaultMessage: () => '$property is among the most common passwords: choose another',
      },
    });
  };
  const minLength = MIN_PASSWORD_CHARACTERS;
  return applyDecorators(rule, ApiProperty({ format: 'password', minLength, maxLength: MAX_PASSWORD_BYTES }));
}

/** A password that somebody logs in with: what the rules for new ones say is no business of who guesses. */
export function PasswordAttempt(): PropertyDecorator {
  return applyDecorators(
    IsString(),
    Length(1, MAX_ATTEMPT_CHARACTERS),
    ApiProperty({ format: 'password', minLength: 1, maxLength: MAX_ATTEMPT_CHARACTERS }),
  );
}
