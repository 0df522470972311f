import type { OpenAPIObject } from '@nestjs/swagger';
import { isId, TEXT_ID } from '../../common/ids';

type Components = NonNullable<OpenAPIObject['components']>;
type Schema = NonNullable<Components['schemas']>[string];

/** Fields that hold a UUID: ids of our own, and who made a thing. */
const ID_NAME = /^(?:id|\w+_id|created_by)$/;

/** What may have ids that its maker has chosen. */
const TEXT_ID_NAME = /^(?:product|customer|order)_id$/;
/** An id with a length or an example of its own is no UUID. */
const isTextId = ({ maxLength, example }: Exclude<Schema, { $ref: string }>, name: string): boolean =>
  TEXT_ID_NAME.test(name) || maxLength !== undefined || (typeof example === 'string' && !isId(example));

/**
 * What the compiler cannot know of a type: the API's numbers are whole unless their format says otherwise (`double`, or
 * `decimal`, of money), and its ids are UUIDs, except those that callers may choose. Alters the schema.
 */
export function refineSchema(schema: Schema, name = ''): void {
  if ('$ref' in schema) return;
  if (schema.type === 'number' && schema.format === undefined) schema.type = 'integer';
  if (schema.type === 'string' && ID_NAME.test(name)) refineId(schema, name);
  if (schema.items) refineSchema(schema.items);
  for (const [property, inner] of Object.entries(schema.properties ?? {})) refineSchema(inner, property);
}

function refineId(schema: Exclude<Schema, { $ref: string }>, name: string): void {
  if (isTextId(schema, name)) schema.pattern ??= TEXT_ID.source;
  else schema.format = 'uuid';
}
