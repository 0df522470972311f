import fc from 'fast-check';
import { cellText, csvLine, textOfCell } from './csv-cell';

describe('cellText', () => {
  it.each(['=1+1', '+44 20', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', "'=1", "''+1"])('disarms %j', (text) => {
    expect(cellText(text)).toBe(`'${text}`);
    expect(textOfCell(cellText(text))).toBe(text);
  });

  it.each(['', 'Rolex', "'", "''", "'tis", '1=1', ' =1', '{"a":1}'])('leaves %j as it is', (text) => {
    expect(cellText(text)).toBe(text);
    expect(textOfCell(text)).toBe(text);
  });

  it('is undone by textOfCell, whatever the text, and never begins like a formula', () => {
    const unit = fc.constantFrom("'", '=', '+', '-', '@', '\t', 'a', '1', '＝', '"');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit }), fc.string({ unit: 'grapheme' })), (text) => {
        expect(textOfCell(cellText(text))).toBe(text);
        expect(cellText(text)).not.toMatch(/^[=+\-@\t\r\n]/);
      }),
    );
  });
});

it('csvLine quotes each cell and doubles the quotes in it', () => {
  expect(csvLine(['a"b', null, '=1', 'x,y\nz'])).toBe('"a""b","","\'=1","x,y\nz"\r\n');
});
