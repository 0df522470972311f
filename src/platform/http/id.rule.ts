import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsUUID } from 'class-validator';

/** A UUID of any version; the handler sees the canonical lower-case spelling (RFC 9562 §4), which is what is stored and compared. */
export function Id(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value)),
    IsUUID('all', { message: '$property must be a UUID' }),
    ApiProperty({ format: 'uuid' }),
  );
}
