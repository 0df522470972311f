import { Matches } from 'class-validator';
import { textOfCell } from '../../common/csv-cell';
import { TEXT_ID } from '../../common/ids';
import { NAMELESS } from '../customers/customers.errors';
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

const COLUMNS = {
  email: { value: `r->>'email'` },
  name: { value: `r->>'name'` },
  tier: { value: `r->>'tier'` },
  phone: { value: `r->>'phone'` },
  address: { value: `nullif(r->'address', 'null')` },
  tags: { value: `array(select jsonb_array_elements_text(r->'tags'))`, otherwise: `'{}'` },
};
type Column = keyof typeof COLUMNS;
const NAMES = Object.keys(COLUMNS) as Column[];

/** What a field is once the row is written: what it names, else what the customer has. */
const after = (name: Column) => `case when r ? '${name}' then ${COLUMNS[name].value} else mine.${name} end`;

/** Whether the row makes somebody, or changes somebody, who is nobody in particular. */
const UNFIT = `coalesce(${after('name')}, ${after('email')}, ${after('phone')}) is null and (mine.id is null
  or (${NAMES.map((name) => `mine.${name}`).join(', ')}) is distinct from (${NAMES.map(after).join(', ')}))`;

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
  amounts: [],
  unique: ['email', 'phone'],
  rules: CustomerRow,
  statements: {
    ...statementsOf('customers', COLUMNS, 'anonymised_at is not null'),
    look: `select * from (
        select r->>'id' as id, ${sameElsewhere(`c.email = r->>'email'`)} or ${sameElsewhere(`c.phone = r->>'phone'`)} as taken,
          ${UNFIT} as unfit
        from jsonb_array_elements($2::jsonb) r left join customers mine on mine.tenant_id = $1 and mine.id = r->>'id') looked
      where taken or unfit`,
  },
  unfit: NAMELESS,
  faults: { customers_email_key: anothers('email'), customers_phone_key: anothers('phone') },
};
