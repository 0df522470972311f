import { ERROR_CODES } from '../src/common/error-codes';
import { writeOrCheck } from './generated-file';

const HEAD = `# Errors

Every error answer of every route has one shape, unknown routes, malformed JSON and bodies that are too large included:

\`\`\`json
{
  "error": "What went wrong, for a person",
  "code": "UPPER_SNAKE",
  "requestId": "…",
  "details": [{ "field": "to", "message": "…" }]
}
\`\`\`

\`requestId\` equals the \`X-Request-Id\` response header and finds the request in the logs. \`details\` is there only where fields
are at fault. Programs read \`code\`; \`error\` may change its wording. This page is made of \`src/common/error-codes.ts\` by
\`tools/errors-page.ts\`.
`;

/** `docs/ERRORS.md`, made of the one list of codes. */
export function renderErrorsPage(): string {
  const codes = Object.entries(ERROR_CODES).map(([code, { status, meaning }]) => [`\`${code}\``, `${status}`, meaning]);
  const rows = [['Code', 'Status', 'Meaning'], ...codes];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const [heading = '', ...lines] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))));
  return [HEAD, heading, line(widths.map((width) => '-'.repeat(width))), ...lines, ''].join('\n');
}

const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;

if (require.main === module) writeOrCheck('docs/ERRORS.md', renderErrorsPage());
