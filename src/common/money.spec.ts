import fc from 'fast-check';
import { decimal, jsonText, parseMoney } from './money';

const NINES = '999999999999999.9999';

/** Digits before the point without zeros in front, and up to four after it. */
const amounts = fc
  .tuple(fc.bigInt({ min: 0n, max: 999_999_999_999_999n }), fc.stringMatching(/^\d{0,4}$/))
  .map(([whole, places]) => (places === '' ? String(whole) : `${whole}.${places}`));

describe('parseMoney', () => {
  it.each([
    ['12', '12'],
    ['12.50', '12.5'],
    ['0', '0'],
    ['0.0000', '0'],
    ['100', '100'],
    [NINES, NINES],
    [12.5, '12.5'],
    [0.1, '0.1'],
    [12345678.9, '12345678.9'],
    [99999999999.9999, '99999999999.9999'],
    [-0, '0'],
    [999_999_999_999.9999, '999999999999.9999'],
  ])('takes %j as %s', (given, text) => expect(parseMoney(given)).toBe(text));

  it.each([
    ...['', ' 1', '1 ', '-1', '+1', '01', '.5', '1.', '1,5', '1e3', '0x1', '1.00000', 'NaN', 'Infinity', '1\n', '١'],
    ...['1000000000000000', -1, 0.1 + 0.2, 1e15, 1e21, 1e-5, Number.NaN, Infinity, 9007199254740992],
    ...[null, undefined, true, [], ['1'], {}, 1n],
  ])('takes %p for none', (given) => expect(parseMoney(given)).toBeNull());

  it('takes every amount as a text, and loses no digit of it', () => {
    fc.assert(
      fc.property(amounts, (text) => {
        const units = (of: string) => {
          const [whole = '', places = ''] = of.split('.');
          return BigInt(whole + places.padEnd(4, '0'));
        };
        expect(units(parseMoney(text) ?? '')).toBe(units(text));
      }),
    );
  });
});

describe('decimal', () => {
  it.each([
    ['0.1000', '0.1'],
    ['12345678.9000', '12345678.9'],
    ['0.0000', '0'],
    ['100.0000', '100'],
    ['1200', '1200'],
    ['-12.5000', '-12.5'],
    ['-0.0001', '-0.0001'],
    ['99999999999.9999', '99999999999.9999'],
    ['999999999999.9999', '999999999999.9999'],
    [NINES, NINES],
    ['9007199254740993.0000', '9007199254740993'],
    ['-123456789012345678901234.5678', '-123456789012345678901234.5678'],
    ['0.0000001', '0.0000001'],
  ])('answers %s as the number %s', (stored, written) => {
    expect(jsonText([decimal(stored), { total: decimal(stored) }])).toBe(`[${written},{"total":${written}}]`);
  });

  it('writes each amount that can be stored digit for digit', () => {
    fc.assert(
      fc.property(amounts, (text) => {
        const trimmed = parseMoney(text) ?? '';
        const stored = trimmed.includes('.') ? trimmed.padEnd(trimmed.indexOf('.') + 5, '0') : `${trimmed}.0000`;
        expect(jsonText({ price: decimal(stored) })).toBe(`{"price":${trimmed}}`);
      }),
    );
  });

  it('is the nearest number to whoever writes JSON otherwise, also after jsonText failed', () => {
    const bad = { toJSON: () => fail() };
    expect(() => jsonText(bad)).toThrow('no JSON');
    expect(JSON.stringify([decimal(NINES)])).toBe('[1000000000000000]');
    expect(Number(decimal(NINES))).toBe(1e15);
    expect(String(decimal(NINES))).toBe(NINES);
  });

  it.each(['NaN', 'Infinity', '', '1e5', 'x'])('refuses %j', (text) => {
    expect(() => decimal(text)).toThrow('Not a decimal');
  });
});

describe('jsonText', () => {
  it('changes no text, whatever is in it', () => {
    const texts = ['\\u0000decimal=1', '"\\u0000decimal=1"', '"', '\\"\\u0000decimal=1', 'decimal=1'];
    const value = { texts, price: decimal(NINES) };
    expect(jsonText(value)).toBe(JSON.stringify({ texts, price: 'HERE' }).replace('"HERE"', NINES));
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        expect(jsonText(any)).toBe(JSON.stringify(any));
      }),
    );
  });
});

function fail(): never {
  throw new Error('no JSON');
}
