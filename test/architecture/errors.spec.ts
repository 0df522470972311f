import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ERROR_CODES } from '../../src/common/error-codes';
import { renderErrorsPage } from '../../tools/errors-page';

const root = path.join(__dirname, '../..');
const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.endsWith('error-codes.ts'))
  .map((file) => readFileSync(path.join(root, 'src', file), 'utf8'))
  .join('\n');

describe('the list of error codes', () => {
  it('is docs/ERRORS.md (node -r @swc-node/register tools/errors-page.ts)', () => {
    expect(readFileSync(path.join(root, 'docs/ERRORS.md'), 'utf8')).toBe(renderErrorsPage());
  });

  it('holds nothing that the service never says', () => {
    expect(Object.keys(ERROR_CODES).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
  });

  it('has only statuses of refusals and failures', () => {
    const statuses = Object.values(ERROR_CODES).map(({ status }) => status as number);
    expect(statuses.filter((status) => status < 400 || status > 599)).toEqual([]);
  });
});
