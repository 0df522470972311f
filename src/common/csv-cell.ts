/**
 * What a spreadsheet takes for the begin of a formula, and runs (OWASP, CSV injection), its full-width spellings included;
 * apostrophes before it belong to it, so that one more can be told from those that were there.
 */
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const ESCAPED = /^'+[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** A text as it stands in a cell that a spreadsheet may open: an apostrophe before what would be a formula. */
export const cellText = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/** What `cellText` was given: `textOfCell(cellText(x))` is `x` for every text. A cell that people wrote without it stays as it is. */
export const textOfCell = (cell: string): string => (ESCAPED.test(cell) ? cell.slice(1) : cell);

/** A line of a table (RFC 4180) that is safe to open in a spreadsheet; null is an empty cell. */
export const csvLine = (cells: readonly (string | null)[]): string =>
  `${cells.map((cell) => `"${cellText(cell ?? '').replaceAll('"', '""')}"`).join(',')}\r\n`;
