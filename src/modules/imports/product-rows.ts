import { Matches } from 'class-validator';
import { TEXT_ID } from '../../common/ids';
import { UpdateProductDto } from '../products/dto/product.dto';
import { type ImportKind, statementsOf } from './import-kind';
import { type CellReader, jsonCell, textCell } from './rows';

/** The rules of a row of products are those of the API. */
class ProductRow extends UpdateProductDto {
  @Matches(TEXT_ID, { message: 'id must be letters, digits, `_`, `.` and `-`, at most 64' })
  id!: string;
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
  amounts: ['price'],
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
    look: null,
  },
  unfit: null,
  faults: {
    products_image_fk: { field: 'image_file_id', reason: 'image_file_id must be one of your files' },
  },
};
