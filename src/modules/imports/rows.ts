import { parse } from 'csv-parse/sync';
import { textOfCell } from '../../common/csv-cell';
import { isWrittenNumber, numberAsWritten, parseExactly, withDecimals } from '../../common/written-numbers';
import { isInheritedName } from '../../platform/http/inherited-names';
import { unstorableField } from '../../platform/http/storable-body';
import { UNKNOWN_FIELD } from '../../platform/http/validation-details';
import type { RawRecord } from './records';

/** What a row says, by the names of its fields; what it does not name stays as it is. */
export type Fields = Record<string, unknown>;

/** Why a row was refused. */
export interface Refusal {
  line: number;
  /** Its id, as far as it could be read. */
  rowId: string | null;
  /** What of it is at fault; null where it is the row as a whole. */
  field: string | null;
  reason: string;
}

/** What is wrong with a row's fields. */
export interface Fault {
  field: string | null;
  reason: string;
}

/** A row as it was read. */
export interface ReadRow {
  line: number;
  fields: Fields;
}

/** Rows of a portion: those that could be read, and those that could not. */
export interface ReadRows {
  rows: ReadRow[];
  refused: Refusal[];
}

/** What a cell stands for; a field whose cell is none is refused with the reason. */
export type CellReader = (cell: string) => { value: unknown } | { reason: string };

/** How the cells of a kind of row are read, by their columns. */
export type Columns = Readonly<Record<string, CellReader>>;

/** What an empty cell stands for is nothing; any other is a text. */
export const textCell: CellReader = (cell) => ({ value: cell === '' ? null : textOfCell(cell) });

/** JSON, and nothing where the cell is empty. */
export const jsonCell: CellReader = (cell) => {
  if (cell.trim() === '') return { value: null };
  try {
    return { value: parseExactly(cell) };
  } catch {
    return { reason: 'is not valid JSON' };
  }
};

const CSV = { record_delimiter: '\n', relax_column_count: true, skip_empty_lines: false, bom: false } as const;
const LONGEST_ROW_ID = 64;

/** Whether the bytes are one record of a table. */
export function isSoundCsv(bytes: Buffer): boolean {
  return cellsOf([bytes]) !== null;
}

/** The cells of the first record; null where it is malformed. */
export const headerOf = (bytes: Buffer): string[] | null => cellsOf([bytes])?.[0]?.map((name) => name.trim()) ?? null;

/** Reads rows of a table with that header. */
export function rowsOfTable(records: readonly RawRecord[], header: readonly string[], columns: Columns): ReadRows {
  const result: ReadRows = { rows: [], refused: [] };
  const whole = records.filter(({ fault }) => fault === undefined);
  const all = cellsOf(whole.map(({ bytes }) => bytes));
  let index = 0;
  for (const { line, bytes, fault } of records) {
    if (fault !== undefined) add(result, line, fault);
    else add(result, line, ofCells((all ? all[index++] : cellsOf([bytes])?.[0]) ?? null, header, columns));
  }
  return result;
}

/**
 * Reads rows of JSON objects; the readers of cells have no part in it.
 * @param amounts fields of money: a number of more digits than a double keeps is the decimal text of it
 */
export function rowsOfLines(
  records: readonly RawRecord[],
  columns: Columns,
  amounts: readonly string[] = [],
): ReadRows {
  const result: ReadRows = { rows: [], refused: [] };
  for (const { line, bytes, fault } of records)
    add(result, line, fault ?? ofJson(bytes.toString('utf8'), columns, amounts));
  return result;
}

/** A row's refusal, with its id as far as that can be told. */
export function refusalOf(line: number, fields: Fields | null, { field, reason }: Fault): Refusal {
  const given = fields?.id;
  const id = isWrittenNumber(given) ? numberAsWritten(given) : given;
  const rowId = typeof id === 'string' ? id.replaceAll('\0', '').slice(0, LONGEST_ROW_ID).toWellFormed() : null;
  return { line, rowId, field, reason };
}

type Read = string | Fields | { fields: Fields; fault: Fault };

function add(result: ReadRows, line: number, read: Read): void {
  if (typeof read === 'string') result.refused.push(refusalOf(line, null, { field: null, reason: `The row ${read}` }));
  else if (isFaulty(read)) result.refused.push(refusalOf(line, read.fields, read.fault));
  else {
    const unstorable = unstorableField(read);
    if (unstorable) result.refused.push(refusalOf(line, read, { field: unstorable.field, reason: unstorable.message }));
    else result.rows.push({ line, fields: read });
  }
}

const FAULT = Symbol('fault');

const faulty = (fields: Fields, fault: Fault): Read => Object.assign({ fields, fault }, { [FAULT]: true });
const isFaulty = (read: object): read is { fields: Fields; fault: Fault } => FAULT in read;

function cellsOf(records: readonly Buffer[]): string[][] | null {
  try {
    const cells: string[][] = parse(Buffer.concat(records.flatMap((bytes) => [bytes, Buffer.from('\n')])), CSV);
    return cells.length === records.length ? cells : null;
  } catch {
    return null;
  }
}

function ofCells(cells: readonly string[] | null, header: readonly string[], columns: Columns): Read {
  if (!cells) return 'is malformed: a quote stands where none may';
  if (cells.length !== header.length) return `has ${cells.length} cells, and the header names ${header.length}`;
  const fields: Fields = Object.fromEntries(header.map((name, index) => [name, cells[index]]));
  const read: Fields = {};
  for (const [name, cell] of Object.entries(fields) as [string, string][]) {
    const outcome = columns[name]?.(cell) ?? { value: cell };
    if ('reason' in outcome) return faulty(fields, { field: name, reason: `${name} ${outcome.reason}` });
    read[name] = outcome.value;
  }
  return read;
}

function ofJson(text: string, columns: Columns, amounts: readonly string[]): Read {
  let row: unknown;
  try {
    row = parseExactly(text);
  } catch {
    return 'is not valid JSON';
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'must be a JSON object';
  const fields = row as Fields;
  const stranger = Object.keys(fields).find((name) => isInheritedName(name) || !Object.hasOwn(columns, name));
  if (stranger === undefined) return withDecimals(fields, amounts);
  return faulty(fields, {
    field: stranger.slice(0, LONGEST_ROW_ID).replaceAll('\0', '').toWellFormed(),
    reason: UNKNOWN_FIELD,
  });
}
