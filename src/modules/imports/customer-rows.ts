import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsString, Length, Matches, registerDecorator } from 'class-validator';
import { textOfCell } from '../../common/csv-cell';
import { TEXT_ID } from '../../common/ids';
import { phoneDigits } from '../../common/phone-number';
import { DistinctItems } from '../../platform/http/distinct.rule';
import { Email } from '../../platform/http/email.rule';
import { DisplayName } from '../../platform/http/name.rule';
import { Optional } from '../../platform/http/optional.rule';
import { type ImportKind, statementsOf } from './import-kind';
import { type CellReader, jsonCell, textCell } from './rows';

const MAX_TAGS = 50;
const TAG_CHARACTERS = 50;
const PHONE_CHARACTERS = 64;
const ADDRESS_CHARACTERS = 1_000;
const PART_CHARACTERS = 200;
const PARTS = ['street', 'city', 'postal_code', 'region', 'country'];

/** No control character, and nothing at the ends that a trim would take. */
const LABEL = /^[^\p{C}\s]([^\p{C}]*[^\p{C}\s])?$/u;

function phoneOf(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > PHONE_CHARACTERS) return value;
  const digits = phoneDigits(value);
  return digits === null ? value : `+${digits}`;
}

function isAddress(value: unknown): boolean {
  if (typeof value === 'string') return value.length >= 1 && value.length <= ADDRESS_CHARACTERS;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([part, text]) => PARTS.includes(part) && typeof text === 'string' && text.length <= PART_CHARACTERS,
  );
}

/** An address in its parts, or as one text. */
const IsAddress: PropertyDecorator = (target, propertyName) =>
  registerDecorator({
    name: 'isAddress',
    target: target.constructor,
    propertyName: String(propertyName),
    validator: {
      validate: isAddress,
      defaultMessage: () =>
        `$property must be a text of 1 to ${ADDRESS_CHARACTERS} characters, or an object of ${PARTS.join(', ')}`,
    },
  });

/** The rules of a row of customers, as those of the API. */
class CustomerRow {
  @Matches(TEXT_ID, { message: 'id must be letters, digits, `_`, `.` and `-`, at most 64' })
  id!: string;

  @Optional()
  @Email()
  email?: string;

  @Optional()
  @DisplayName(200)
  name?: string;

  @Optional()
  @DisplayName(50)
  tier?: string;

  @Optional()
  @Transform(({ value }: { value: unknown }) => phoneOf(value))
  @Matches(/^\+\d{5,15}$/, { message: '$property must be a phone number with its country code' })
  phone?: string;

  @Optional()
  // The transformer would make an object of a class of its own: the value is taken from the source.
  @Type(() => Boolean)
  @Transform(({ obj }: { obj: Record<string, unknown> }) => obj.address)
  @IsAddress
  address?: unknown;

  @Optional()
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @DistinctItems(MAX_TAGS)
  @IsString({ each: true })
  @Length(1, TAG_CHARACTERS, { each: true })
  @Matches(LABEL, { each: true, message: 'each of $property must be plain text' })
  tags?: string[];
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
      where ${sameElsewhere(`lower(c.email) = lower(r->>'email')`)} or ${sameElsewhere(`c.phone = r->>'phone'`)}`,
  },
  faults: { customers_email_key: anothers('email'), customers_phone_key: anothers('phone') },
};
