import { isUtf8 } from 'node:buffer';
import { pipeline, type Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { CommonErrors } from '../../common/common.errors';
import { parseExactly } from '../../common/written-numbers';
import type { AudienceMember } from '../customers/customer-audience.service';
import { unstorableField } from '../../platform/http/storable-body';

/** Values of the variables of a text, by their names. */
export type Variables = Record<string, string | number>;

/** One entry of a list of recipients, in its order from 0. */
export interface Recipient {
  index: number;
  /** As it was given; empty where there is none. */
  to: string;
  variables: Variables;
  /** What is wrong with the entry itself; absent where nothing is. */
  fault?: string;
}

const LONGEST_LINE_BYTES = 64 * 1024;
const LONGEST_TO = 128;
const FIELDS = ['to', 'variables'];

/** Of a list in the body. */
export function* recipientsOfList(list: readonly unknown[]): Generator<Recipient> {
  for (const [index, entry] of list.entries()) yield recipientOf(index, entry);
}

/** Of customers, with what they are called and how they stand; what nobody said of one is no variable. */
export async function* recipientsOfCustomers(members: AsyncIterable<AudienceMember>): AsyncGenerator<Recipient> {
  let index = 0;
  for await (const { id, phone, name, email, tier, vip_tier } of members) {
    const given = Object.entries({ id, name, email, tier, vip_tier }).filter(([, value]) => value !== null);
    yield { index, to: phone, variables: Object.fromEntries(given) as Variables };
    index += 1;
  }
}

/**
 * Of lines of JSON, `{"to", "variables"?}`; empty lines are none.
 * @throws VALIDATION_FAILED for a line that is too long: what follows cannot be trusted to be lines
 */
export async function* recipientsOfLines(stream: Readable): AsyncGenerator<Recipient> {
  let index = 0;
  for await (const line of linesOf(stream)) {
    const text = line.toString('utf8').trim();
    if (text !== '') yield isUtf8(line) ? ofJson(index, text) : faulty(index, 'is not valid UTF-8');
    if (text !== '') index += 1;
  }
}

/**
 * Of a table with a column `to`; its other columns are the variables.
 * @throws VALIDATION_FAILED for what is no table, with the line
 */
export async function* recipientsOfTable(stream: Readable): AsyncGenerator<Recipient> {
  const parser = parse({
    bom: true,
    columns: columnsOf,
    skip_empty_lines: true,
    max_record_size: LONGEST_LINE_BYTES,
    encoding: 'utf8',
  });
  pipeline(textOf(stream), parser, () => undefined); // what goes wrong comes out of the loop below
  let index = 0;
  try {
    for await (const record of parser as AsyncIterable<Record<string, string>>) {
      const { to = '', ...variables } = record;
      yield recipientOf(index, { to: to.trim(), variables });
      index += 1;
    }
  } catch (error) {
    if (error instanceof CsvError) throw CommonErrors.invalidField('body', `body is no CSV: ${error.message}`);
    throw error;
  }
}

/** @throws VALIDATION_FAILED for what is not UTF-8 */
async function* textOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw CommonErrors.invalidField('body', 'body is not valid UTF-8');
    throw error;
  }
}

function columnsOf(header: string[]): string[] {
  const names = header.map((name) => name.trim());
  if (!names.includes('to'))
    throw CommonErrors.invalidField('body', 'body must begin with a header that names a column to');
  if (new Set(names).size < names.length) throw CommonErrors.invalidField('body', 'body names a column twice');
  return names;
}

/** Without their ends, which may be \r\n. */
async function* linesOf(stream: Readable): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(10, from); end !== -1; end = rest.indexOf(10, from)) {
      yield within(rest.subarray(from, end));
      from = end + 1;
    }
    rest = within(rest.subarray(from));
  }
  if (rest.length > 0) yield rest;
}

function within(line: Buffer): Buffer {
  if (line.length <= LONGEST_LINE_BYTES) return line;
  throw CommonErrors.invalidField('body', `body holds a line of more than ${LONGEST_LINE_BYTES} bytes`);
}

function ofJson(index: number, text: string): Recipient {
  try {
    return recipientOf(index, parseExactly(text));
  } catch {
    return faulty(index, 'is not valid JSON');
  }
}

function recipientOf(index: number, entry: unknown): Recipient {
  if (!isRecord(entry)) return faulty(index, 'must be an object with to');
  const { to, variables = {} } = entry;
  const stranger = Object.keys(entry).find((field) => !FIELDS.includes(field));
  if (stranger !== undefined) return faulty(index, 'must hold to and variables, and nothing else', to);
  const unstorable = unstorableField(entry);
  if (unstorable) return faulty(index, `is nothing that can be stored: ${unstorable.message}`);
  if (typeof to !== 'string' || to.length > LONGEST_TO) return faulty(index, 'must hold to, a text', to);
  if (!isRecord(variables) || !Object.values(variables).every(isValue))
    return faulty(index, 'must hold variables that are texts or numbers', to);
  return { index, to, variables: variables as Variables };
}

const faulty = (index: number, fault: string, to?: unknown): Recipient => ({
  index,
  to: typeof to === 'string' ? to.slice(0, LONGEST_TO) : '',
  variables: {},
  fault: `the recipient ${fault}`,
});

const isValue = (value: unknown): boolean => typeof value === 'string' || Number.isFinite(value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
