import { Matches } from 'class-validator';
import { textOfCell } from '../../common/csv-cell';
import { TEXT_ID } from '../../common/ids';
import { UpdateCustomerDto } from '../customers/dto/customer.dto';
import { type ImportKind, statementsOf } from './import-kind';
import { type CellReader, jsonCell, textCell } from './rows';

/** The rules of a row of customers are those of the API. */
class CustomerRow extends UpdateCustomerDto {
  @Matches(TEXT_ID, { message: 'id must be letters, digits, `_`, `.` and `-`, at most 64' })
  id!: string;
}

/** Numbers may stand there as `'+44…`: a spreadsheet would take them for formulas. */
const trimmedCell: CellReader = (cell) => {
  const text = textOfCell(cell.trim());
  return { value: text === '' ? null : text };
};

const tagsCell: CellReader = (cell) => {
  const text = textOfCell(cell.trim());
  if (text.startsWith('[')) return jsonCell(text);
  const tags = text.split(';');
  return { value: tags.map((tag) => tag.trim()).filter((tag) => tag !== '') };
};

/** JSON where it begins like an object or a text of JSON, else the text itself. */
const addressCell: CellReader = (cell) => (/^\s*["{]/.test(cell) ? jsonCell(cell) : textCell(cell));

const anothers = (field: string) => ({ field, reason: `${field} is another customer's` });

const sameElsewhere = (condition: string) =>
  `exists (select from customers c where c.tenant_id = $1 and ${condition} and c.id <> r->>'id')`;

export const CUSTOMERS: ImportKind = {
  name: 'customers',
  columns: {
    id: trimmedCell,
    email: trimmedCell,
    name: textCell,
    tier: textCell,
    phone: trimmedCell,
    address: addressCell,
    tags: tagsCell,
    created_at: textCell,
    updated_at: textCell,
  },
  readOnly: ['created_at', 'updated_at'],
  nullable: ['email', 'name', 'tier', 'phone', 'address'],
  required: [],
  unique: ['email', 'phone'],
  rules: CustomerRow,
  statements: {
    ...statementsOf(
      'customers',
      {
        email: { value: `r->>'email'` },
        name: { value: `r->>'name'` },
        tier: { value: `r->>'tier'` },
        phone: { value: `r->>'phone'` },
        address: { value: `nullif(r->'address', 'null')` },
        tags: { value: `array(select jsonb_array_elements_text(r->'tags'))`, otherwise: `'{}'` },
      },
      'anonymised_at is not null',
    ),
    taken: `select r->>'id' as id from jsonb_array_elements($2::jsonb) r
      where ${sameElsewhere(`c.email = r->>'email'`)} or ${sameElsewhere(`c.phone = r->>'phone'`)}`,
  },
  faults: { customers_email_key: anothers('email'), customers_phone_key: anothers('phone') },
};
