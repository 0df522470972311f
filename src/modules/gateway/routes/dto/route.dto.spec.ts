import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AppError } from '../../../../common/app-error';
import { ApiValidationPipe } from '../../../../platform/http/validation.pipe';
import { ROUTE_DEFAULTS } from '../stored-route';
import { RouteDto, TryRouteDto, UpdateRouteDto } from './route.dto';

interface Property {
  type?: string;
  default?: unknown;
  example?: unknown;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: Property;
}

const file = path.join(__dirname, '../../../../../docs/openapi.json');
const { components } = JSON.parse(readFileSync(file, 'utf8')) as OpenAPIObject;
const propertiesOf = (name: string) =>
  Object.entries((components?.schemas?.[name] as { properties: Record<string, Property> }).properties);

const pipe = new ApiValidationPipe();
const WHOLE = {
  RouteDto: [RouteDto, { path: '/a', path_type: 'prefix', upstreams: [{ url: 'https://a.example' }] }],
  UpdateRouteDto: [UpdateRouteDto, {}],
  TryRouteDto: [TryRouteDto, { method: 'GET', path: '/' }],
} as const;
type Name = keyof typeof WHOLE;

/** Whether a body of that kind with this value is let in. */
async function takes(name: Name, field: string, value: unknown): Promise<boolean> {
  const [metatype, body] = WHOLE[name];
  try {
    await pipe.transform({ ...body, [field]: value }, { type: 'body', metatype });
    return true;
  } catch (error) {
    expect((error as AppError).details?.map((detail) => detail.field.split('.')[0])).toContain(field);
    return false;
  }
}

const one = (field: string, n: number): unknown => (field === 'upstreams' ? { url: `https://a${n}.example` } : 'GET');
const listOf =
  (field: string) =>
  (count: number): unknown[] =>
    Array.from({ length: count }, (_, n) => one(field, n));

/** Values right within the bounds that the document gives, and right beyond them. */
function bordersOf(field: string, property: Property): { within: unknown[]; beyond: unknown[] } {
  const { type, minimum: least, maximum: most, minLength, maxLength, minItems, maxItems } = property;
  if (type === 'integer' && least !== undefined && most !== undefined)
    return { within: [least, most], beyond: [least - 1, most + 1, least + 0.5, String(least)] };
  if (minItems !== undefined && maxItems !== undefined)
    return { within: [minItems, maxItems].map(listOf(field)), beyond: [minItems - 1, maxItems + 1].map(listOf(field)) };
  const lengths = [minLength && minLength - 1, maxLength && maxLength + 1].filter((length) => length !== undefined);
  return { within: [], beyond: lengths.map((length) => 'a'.repeat(length)) };
}

describe.each(Object.keys(WHOLE) as Name[])('%s, as the document describes it,', (name) => {
  it('bounds its numbers, texts and lists as the service does', async () => {
    for (const [field, property] of propertiesOf(name)) {
      const { within, beyond } = bordersOf(field, property);
      for (const value of within) expect([field, value, await takes(name, field, value)]).toEqual([field, value, true]);
      for (const value of beyond)
        expect([field, value, await takes(name, field, value)]).toEqual([field, value, false]);
    }
  });

  it('shows examples that are let in, and fit its patterns', async () => {
    for (const [field, { example, pattern, items }] of propertiesOf(name)) {
      if (example === undefined) continue;
      expect([field, await takes(name, field, example)]).toEqual([field, true]);
      const texts = [example].flat().filter((text) => typeof text === 'string');
      const shape = new RegExp(pattern ?? items?.pattern ?? '');
      expect([field, texts.filter((text) => !shape.test(text))]).toEqual([field, []]);
    }
  });
});

describe('a route in the document', () => {
  const defaultsOf = (name: string) =>
    Object.fromEntries(
      propertiesOf(name).flatMap(([field, { default: value }]) => (value === undefined ? [] : [[field, value]])),
    );

  it('has the defaults of the service where it is made, and none where it is changed', () => {
    expect(defaultsOf('RouteDto')).toEqual(ROUTE_DEFAULTS);
    expect(defaultsOf('UpdateRouteDto')).toEqual({});
    const typesOf = (name: string) => Object.fromEntries(propertiesOf(name).map(([field, { type }]) => [field, type]));
    expect(typesOf('RouteDto')).toEqual(typesOf('UpdateRouteDto'));
  });

  it('says what each field is', () => {
    const silent = propertiesOf('RouteDto').filter(
      ([, it]) => !('description' in it) && !('$ref' in it) && !('allOf' in it),
    );
    expect(silent.map(([field]) => field)).toEqual([]);
  });
});
