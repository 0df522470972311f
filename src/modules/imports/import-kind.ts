import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { validationDetails } from '../../platform/http/validation-details';
import type { Columns, Fault, Fields } from './rows';

/** What files can hold. */
export const IMPORT_KINDS = ['products', 'customers'] as const;
export type ImportKindName = (typeof IMPORT_KINDS)[number];

/** What is imported: its columns, its rules, and the statements that write its rows. */
export interface ImportKind {
  name: ImportKindName;
  /** Every field that a file may name, with how its cells are read. */
  columns: Columns;
  /** Fields of exports that nobody sets: they may stand in a file and are passed over. */
  readOnly: readonly string[];
  /** Fields that null empties. */
  nullable: readonly string[];
  /** Fields that a new row must say, beside its id. */
  required: readonly string[];
  /** Fields of money: in lines of JSON they are taken digit for digit, as exports write them. */
  amounts: readonly string[];
  /** Fields whose values no two rows of a tenant share. */
  unique: readonly string[];
  /** The rules of a row: of everything but null. */
  rules: new () => object;
  statements: ImportStatements;
  /** What is told of a row that would leave behind what no row may be; null where there is no such thing. */
  unfit: Fault | null;
  /** What is told of a row that breaks one of the table's constraints, by its name. */
  faults: Readonly<Record<string, Fault>>;
}

/** $1 is the tenant; $2 is ids in `lock`, else the rows as a JSON array of objects, each with the fields that it names. */
export interface ImportStatements {
  /** Those of the ids that exist, in their order, held: `id`, and `gone` of what may not be written any more. */
  lock: string;
  /** Changes what differs; the ids of what was changed. */
  update: string;
  /** Adds what is not there; the ids of what was added. */
  insert: string;
  /**
   * Of the rows that want a unique value which another row has (`taken`), and of those that would leave behind what no row may
   * be (`unfit`), the ids; null where there is neither.
   */
  look: string | null;
}

/**
 * Holds a row against the rules of its kind, and gives it as it is written: without what is only read.
 * @returns the fault of the first field that has one
 */
export function checkedRow(kind: ImportKind, row: Fields): { fields: Fields } | { fault: Fault } {
  const named = Object.entries(row).filter(([name]) => !kind.readOnly.includes(name));
  const nulls = named.filter(([, value]) => value === null);
  const missing = nulls.find(([name]) => !kind.nullable.includes(name));
  if (missing) return { fault: { field: missing[0], reason: `${missing[0]} must not be empty` } };
  const given = Object.fromEntries(named.filter(([, value]) => value !== null));
  const instance = plainToInstance(kind.rules, given);
  const errors = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  const [detail, ...more] = validationDetails(errors);
  if (!detail) return { fields: { ...instance, ...Object.fromEntries(nulls) } };
  const reason = [detail, ...more].map(({ message }) => message).join('; ');
  return { fault: { field: detail.field, reason } };
}

/** How a value of a column is read from a row `r`, and what it is in a row that does not name it. */
export interface ColumnSource {
  value: string;
  otherwise?: string;
}

/** The statements of a table whose key is tenant and id. All texts are constants of this service. */
export function statementsOf(
  table: string,
  columns: Readonly<Record<string, ColumnSource>>,
  gone = 'false',
): Omit<ImportStatements, 'look'> {
  const names = Object.keys(columns);
  const list = (each: (name: string, source: ColumnSource) => string) =>
    Object.entries(columns)
      .map(([name, source]) => each(name, source))
      .join(', ');
  return {
    lock: `select id, ${gone} as gone from ${table} where tenant_id = $1 and id = any ($2::text[]) order by id for no key update`,
    update: `
      with new as (
        select t.id, ${list((name, { value }) => `case when r ? '${name}' then ${value} else t.${name} end as ${name}`)}
        from jsonb_array_elements($2::jsonb) r join ${table} t on t.tenant_id = $1 and t.id = r->>'id')
      update ${table} t set ${list((name) => `${name} = new.${name}`)}, version = t.version + 1, updated_at = now()
      from new where t.tenant_id = $1 and t.id = new.id
        and (${list((name) => `t.${name}`)}) is distinct from (${list((name) => `new.${name}`)})
      returning t.id`,
    insert: `
      insert into ${table} (tenant_id, id, ${names.join(', ')})
      select $1::uuid, r->>'id', ${list((_name, { value, otherwise }) => (otherwise ? `coalesce(${value}, ${otherwise})` : value))}
      from jsonb_array_elements($2::jsonb) r
      on conflict (tenant_id, id) do nothing returning id`,
  };
}
