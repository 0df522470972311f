import fc from 'fast-check';
import { exactly, isWrittenNumber, parseExactly, withDecimals } from './written-numbers';

const decimalOf = (number: string): unknown => withDecimals(parseExactly(`{"n":${number}}`) as { n: unknown }, ['n']).n;

describe('parseExactly', () => {
  it.each([
    ...['0', '-0', '1', '-1.5', '1e3', '1E+02', '1e-7', '123456789012345', '0.123456789012345', '-0.10'],
    ...[
      '0.30000000000000004',
      '9007199254740991',
      '1.7976931348623157e308',
      '5e-324',
      '12.50000000000000000000',
      '1e015',
    ],
    ...['100000000000000000000000', '0.00000000000000000001', '0e999', '0.0000000000000000000', '-1e-0000000000007'],
  ])('takes %s for the number that it is', (number) => {
    expect(parseExactly(`[${number}]`)).toEqual([Number(number)]);
    expect(parseExactly(`{"a":[1,{"b": ${number} }]}`)).toEqual({ a: [1, { b: Number(number) }] });
  });

  it.each([
    ...[
      '12345678901234567890',
      '-12345678901234567890',
      '9007199254740993',
      '9007199254740993e0',
      '0.1000000000000000055',
    ],
    ...['123456789012345.6789', '1.2345678901234567891e5', '12.5000000000000000001', '1e-400', '-1e-400', '2.5e-324'],
    ...['1.0000000000000000000000000000000000001', `${'9'.repeat(300)}`, `0.${'0'.repeat(400)}1`],
  ])('makes no other number of %s', (number) => {
    for (const text of [
      `[${number}]`,
      `[1,${number}]`,
      `[\n${number}\n]`,
      `{"a":${number}}`,
      `{"\\"":"\\\\","b": ${number}}`,
    ])
      expect(Object.values(parseExactly(text) as object).filter(isWrittenNumber)).toHaveLength(1);
  });

  it('leaves what is beyond a double infinite', () => {
    expect(parseExactly('[1e400,-1e400]')).toEqual([Infinity, -Infinity]);
  });

  it('finds numbers in no text, whatever stands in it', () => {
    const texts = [
      '1,12345678901234567890',
      '[12345678901234567890',
      '"',
      '\\',
      '\\"',
      '",12345678901234567890',
      ': 1e-999',
    ];
    const value = { texts, ', 12345678901234567890': texts.join(''), n: 1 };
    expect(parseExactly(JSON.stringify(value))).toEqual(value);
    const marked = parseExactly(JSON.stringify({ ...value, n: 'HERE' }).replace('"HERE"', '12345678901234567890'));
    expect(marked).toEqual({ ...value, n: expect.stringMatching(/12345678901234567890$/) as unknown });
  });

  it('takes the last of a key that comes twice', () => {
    expect(decimalOf('12345678901234567,"n":76543210987654321')).toBe('76543210987654321');
    expect(decimalOf('12345678901234567,"n":7')).toBe(7);
  });

  it.each([
    '',
    '{',
    '{12345678901234567890:1}',
    '{ 12345678901234567890 : 1 }',
    '[012345678901234567890]',
    '[1.2.3456789012345678]',
  ])('throws for %j, which is no JSON', (text) => expect(() => parseExactly(text)).toThrow(SyntaxError));

  it('agrees with the parser about all that it writes itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, spaced) => {
        const text = JSON.stringify(value, null, spaced ? 2 : undefined);
        expect(parseExactly(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('takes exactly those numbers for themselves that a double writes again', () => {
    const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,19})(?:\.\d{1,20})?(?:e-?\d{1,2})?$/);
    fc.assert(
      fc.property(digits, (number) => {
        const [read] = parseExactly(`[${number}]`) as unknown[];
        expect(isWrittenNumber(read)).toBe(!sameDecimal(number, Number(number)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['many of them', `[${'12345678901234567890,'.repeat(50_000)}1]`],
    ['one of many digits', `[1${'0'.repeat(1_000_000)}1e-1000000]`],
    ['many beside texts', `[${'"\\\\","1,1234567890123456",12345678901234567,'.repeat(25_000)}1]`],
    ['a text of backslashes', `["${'\\\\'.repeat(500_000)}",12345678901234567890]`],
    ['a text of quotes', `["${',1234567890123456\\"'.repeat(50_000)}",12345678901234567890]`],
    ['nesting', `${'['.repeat(400_000)}12345678901234567890${']'.repeat(400_000)}`],
  ])('is done in no time with a megabyte of %s', (_what, text) => {
    const began = performance.now();
    parseExactly(text);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('exactly', () => {
  it('parses nothing again where no number is another', () => {
    const text =
      '{"id":12345678,"at":"2026-11-30T15:00:00.123456789Z","sha":"1234567890123456789012345678901234567890"}';
    const parsed: unknown = JSON.parse(text);
    expect(exactly(text, parsed)).toBe(parsed);
    expect(exactly('[1.50000000000000000000]', parsed)).toBe(parsed);
  });
});

describe('withDecimals', () => {
  it.each([
    ['123456789012345.6789', '123456789012345.6789'],
    ['123456789012345.678900000', '123456789012345.6789'],
    ['1.234567890123456789e14', '123456789012345.6789'],
    ['-1234567890123456789012e-5', '-12345678901234567.89012'],
    ['0.00001234567890123456789', '0.00001234567890123456789'],
    ['12345678901234567891e3', '12345678901234567891000'],
    ['1e-400', '1e-400'],
    ['12.5', 12.5],
    ['"a"', 'a'],
  ])('takes %s as %p', (number, text) => expect(decimalOf(number)).toBe(text));

  it('takes none but those named', () => {
    const fields = parseExactly('{"price":12345678901234567,"stock":12345678901234567}') as Record<string, unknown>;
    const exact = withDecimals(fields, ['price', 'cost']);
    expect([exact.price, isWrittenNumber(exact.stock), Object.keys(exact)]).toEqual([
      ...['12345678901234567', true, ['price', 'stock']],
    ]);
    expect(withDecimals(fields, [])).toBe(fields);
  });
});

/** Whether a decimal is what the double writes of itself, by whole numbers of any size. */
function sameDecimal(written: string, read: number): boolean {
  const scaled = (text: string): bigint => {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [whole = '', places = ''] = mantissa.split('.');
    return BigInt(whole + places) * 10n ** BigInt(400 + Number(exponent) - places.length);
  };
  return scaled(written) === scaled(String(read));
}
