import { maxLength } from 'class-validator';
import { CommonErrors } from '../../common/common.errors';
import { MAX_TEXT_CHARACTERS, textFault } from '../../common/message-text';

/** Distinct variables of one text, and values that one message may bring. */
export const MAX_VARIABLES = 100;
export const MAX_VALUE_CHARACTERS = 1_000;

/** What the variables of a text are to become, by their names. */
export type VariableValues = Readonly<Record<string, string | number>>;

/** A text with `{{variables}}`, taken apart once so that it can be filled in often. */
export interface TemplateText {
  /** Plain text and variables, in their order. */
  pieces: readonly (string | Placeholder)[];
  /** The names of its variables, each once, in the order in which they first occur. */
  variables: readonly string[];
}

interface Placeholder {
  variable: string;
}

const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*\}\}/y;

/** Characters are counted as people count them, so that an emoji or accent of several units may be one of them. */
const MAX_UNITS_OF_A_CHARACTER = 3;
const LONGEST_UNITS = MAX_TEXT_CHARACTERS * MAX_UNITS_OF_A_CHARACTER;

/**
 * Takes a text apart. Every `{{` begins a variable; `}}` by itself is text.
 * @throws VALIDATION_FAILED of `text` where something else follows `{{`, with its position, and for more than 100 variables
 */
export function parseTemplate(text: string): TemplateText {
  const pieces: (string | Placeholder)[] = [];
  let from = 0;
  for (let at = text.indexOf('{{'); at !== -1; at = text.indexOf('{{', from)) {
    PLACEHOLDER.lastIndex = at;
    const [whole, variable] = PLACEHOLDER.exec(text) ?? [];
    if (whole === undefined || variable === undefined) throw malformed(text, at);
    if (at > from) pieces.push(text.slice(from, at));
    pieces.push({ variable });
    from = at + whole.length;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return { pieces, variables: namesIn(pieces) };
}

/**
 * The text with each variable's value in its place. Values are taken as they are: what looks like a variable in one stays as
 * it is. Values that the text does not ask for are left aside.
 * @throws VALIDATION_FAILED that names each variable without a value or with one that is none, or `variables` where what comes
 * out cannot be sent
 */
export function renderTemplate({ pieces, variables }: TemplateText, values: VariableValues): string {
  const faults = variables.flatMap((name) => faultOf(name, values) ?? []);
  if (faults.length > 0) throw CommonErrors.validation(faults);
  let text = '';
  for (const piece of pieces) {
    text += typeof piece === 'string' ? piece : String(values[piece.variable]);
    if (text.length > LONGEST_UNITS) break; // it will be refused: no need to make all of it
  }
  const fault = textFault(text);
  if (fault) throw CommonErrors.invalidField('variables', `the text with its variables ${fault}`);
  return text;
}

/** Whether it can stand for a variable: a text of at most 1,000 characters, or a number. */
export const isVariableValue = (value: unknown): value is string | number =>
  typeof value === 'string' ? maxLength(value, MAX_VALUE_CHARACTERS) : Number.isFinite(value);

export const VALUE_RULE = `a text of at most ${MAX_VALUE_CHARACTERS} characters, or a number`;

function faultOf(name: string, values: VariableValues): { field: string; message: string } | undefined {
  const field = `variables.${name}`;
  // Every object has a `toString`: only what was given counts.
  if (!Object.hasOwn(values, name)) return { field, message: `${field} is required: the text holds {{${name}}}` };
  return isVariableValue(values[name]) ? undefined : { field, message: `${field} must be ${VALUE_RULE}` };
}

function namesIn(pieces: readonly (string | Placeholder)[]): string[] {
  const names = new Set(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : piece.variable)));
  if (names.size > MAX_VARIABLES)
    throw CommonErrors.invalidField('text', `text must hold at most ${MAX_VARIABLES} different variables`);
  return [...names];
}

/** Positions are told in code points from 1, as an editor counts them. */
const malformed = (text: string, at: number) =>
  CommonErrors.invalidField(
    'text',
    `text holds a malformed variable at character ${[...text.slice(0, at)].length + 1}: write {{name}}, of letters, digits and _`,
  );
