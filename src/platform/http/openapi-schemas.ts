import type { OpenAPIObject } from '@nestjs/swagger';

type Components = NonNullable<OpenAPIObject['components']>;
type Schema = NonNullable<Components['schemas']>[string];

/** Fields that hold a UUID: ids of our own, and who made a thing. */
const ID_NAME = /^(?:id|\w+_id|created_by)$/;

/**
 * What the compiler cannot know of a type: the API's numbers are whole unless their format says otherwise (`double`), and its
 * ids are UUIDs. Alters the schema.
 */
export function refineSchema(schema: Schema, name = ''): void {
  if ('$ref' in schema) return;
  if (schema.type === 'number' && schema.format === undefined) schema.type = 'integer';
  if (schema.type === 'string' && ID_NAME.test(name)) schema.format = 'uuid';
  if (schema.items) refineSchema(schema.items);
  for (const [property, inner] of Object.entries(schema.properties ?? {})) refineSchema(inner, property);
}
