import { IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { TEXT_ID } from '../../common/ids';
import { FreeObject } from '../../platform/http/free-object.rule';
import { Id } from '../../platform/http/id.rule';
import { Money } from '../../platform/http/money.rule';
import { DisplayName } from '../../platform/http/name.rule';
import { Optional } from '../../platform/http/optional.rule';
import { type ImportKind, statementsOf } from './import-kind';
import { type CellReader, jsonCell, textCell } from './rows';

const MAX_STOCK = 2_147_483_647;
const ATTRIBUTES_MAX_BYTES = 16 * 1024;

/** The rules of a row of products, as those of the API. */
class ProductRow {
  @Matches(TEXT_ID, { message: 'id must be letters, digits, `_`, `.` and `-`, at most 64' })
  id!: string;

  @Optional()
  @DisplayName(200)
  name?: string;

  @Optional()
  @DisplayName(100)
  brand?: string;

  @Optional()
  @DisplayName(100)
  category?: string;

  @Optional()
  @Money()
  price?: string;

  @Optional()
  @IsInt({ message: 'stock must be a whole number' })
  @Min(0)
  @Max(MAX_STOCK)
  stock?: number;

  @Optional()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  @Optional()
  @Id()
  image_file_id?: string;

  @Optional()
  @FreeObject(ATTRIBUTES_MAX_BYTES)
  attributes?: Record<string, unknown>;
}

const WHOLE = /^\d{1,10}$/;

/** A table says numbers as texts. An empty stock is none. */
const stockCell: CellReader = (cell) => {
  const text = cell.trim();
  return { value: text === '' ? 0 : WHOLE.test(text) ? Number(text) : text };
};
const attributesCell: CellReader = (cell) => (cell.trim() === '' ? { value: {} } : jsonCell(cell));
const trimmedCell: CellReader = (cell) => ({ value: cell.trim() === '' ? null : cell.trim() });

export const PRODUCTS: ImportKind = {
  name: 'products',
  columns: {
    id: trimmedCell,
    name: textCell,
    brand: textCell,
    category: textCell,
    price: trimmedCell,
    stock: stockCell,
    description: textCell,
    image_file_id: trimmedCell,
    attributes: attributesCell,
    created_at: textCell,
    updated_at: textCell,
  },
  readOnly: ['created_at', 'updated_at'],
  nullable: ['brand', 'category', 'description', 'image_file_id'],
  required: ['name', 'price'],
  unique: [],
  rules: ProductRow,
  statements: {
    ...statementsOf('products', {
      name: { value: `r->>'name'` },
      brand: { value: `r->>'brand'` },
      category: { value: `r->>'category'` },
      price: { value: `(r->>'price')::numeric` },
      stock: { value: `(r->>'stock')::integer`, otherwise: '0' },
      description: { value: `r->>'description'` },
      image_file_id: { value: `(r->>'image_file_id')::uuid` },
      attributes: { value: `r->'attributes'`, otherwise: `'{}'` },
    }),
    taken: null,
  },
  faults: {},
};
