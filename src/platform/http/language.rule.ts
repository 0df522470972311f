import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { registerDecorator } from 'class-validator';

/** Enough for language, script, region and variants (RFC 5646 §4.4.1). */
const MAX_TAG_CHARACTERS = 35;

/** The canonical spelling of a language tag (`pt-br` is `pt-BR`); null for what is none. */
export function canonicalLanguage(tag: string): string | null {
  if (tag.length > MAX_TAG_CHARACTERS) return null;
  try {
    const [canonical = null] = Intl.getCanonicalLocales(tag);
    return canonical !== null && canonical.length <= MAX_TAG_CHARACTERS ? canonical : null;
  } catch {
    return null;
  }
}

/** A language tag of BCP 47; the handler sees its canonical spelling, so that one language has one. */
export function Language(): PropertyDecorator {
  const rule: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'language',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => typeof value === 'string' && canonicalLanguage(value) !== null,
        defaultMessage: () => '$property must be a language tag of BCP 47, such as en or pt-BR',
      },
    });
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (canonicalLanguage(value) ?? value) : value,
  );
  return applyDecorators(read, rule, ApiProperty({ minLength: 2, maxLength: MAX_TAG_CHARACTERS, example: 'pt-BR' }));
}
