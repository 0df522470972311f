import { isDeepStrictEqual } from 'node:util';
import { parseMoney } from '../../common/money';
import { ProductErrors } from './products.errors';

/** Pieces of one product: far below what the database holds, so that no sum of two overflows. */
export const MAX_STOCK = 1_000_000_000;

/** What people say of a product. */
export interface ProductFields {
  name: string;
  brand: string | null;
  category: string | null;
  /** A decimal, in the tenant's currency. */
  price: string;
  stock: number;
  description: string | null;
  /** The id of a file. */
  image_file_id: string | null;
  attributes: Record<string, unknown>;
}

/** A product as it is stored; out of the cache its times are RFC 3339 texts. */
export interface ProductRow extends ProductFields {
  id: string;
  version: number;
  created_at: Date | string;
  updated_at: Date | string;
}

const FIELDS = [
  ...(['name', 'brand', 'category', 'price', 'stock'] as const),
  ...(['description', 'image_file_id', 'attributes'] as const),
];
/** Of these the record of a change says what they were and are. */
const FIGURES = ['price', 'stock'] as const;

/** What a record says of a change: the fields that differ, and the figures; null where nothing does. */
export function changesOf(before: ProductFields, after: ProductFields): Record<string, unknown> | null {
  const changed = FIELDS.filter((field) => !isDeepStrictEqual(comparable(before, field), comparable(after, field)));
  if (changed.length === 0) return null;
  const figures = FIGURES.filter((field) => changed.includes(field));
  return {
    changed,
    ...Object.fromEntries(figures.map((field) => [field, { from: before[field], to: after[field] }])),
  };
}

/** A price is the same however many zeros it ends with. */
const comparable = (product: ProductFields, field: keyof ProductFields): unknown =>
  field === 'price' ? parseMoney(product.price) : product[field];

/** What records call a product. */
export const resourceOf = (id: string): string => `product:${id}`;

/** @throws NOT_FOUND where there is none */
export function found(row: ProductRow | null): ProductRow {
  if (!row) throw ProductErrors.notFound();
  return row;
}
