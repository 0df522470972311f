import { rowsOfLines, textCell } from './rows';

const COLUMNS = { id: textCell, name: textCell };

describe('rowsOfLines', () => {
  it.each([
    ['{"id":12345678901234567890,"name":"x"}', '12345678901234567890'],
    [`{"id":${'1'.repeat(70)},"name":"x"}`, '1'.repeat(64)],
    ['{"id":"a","name":12345678901234567890}', 'a'],
    ['{"id":"a\\u0000b","name":"x"}', 'ab'],
  ])('tells of %s, which it refuses, by its id', (line, rowId) => {
    const { rows, refused } = rowsOfLines([{ line: 7, bytes: Buffer.from(line) }], COLUMNS);
    expect([rows, refused]).toEqual([[], [expect.objectContaining({ line: 7, rowId })]]);
  });
});
