import fc from 'fast-check';
import { writtenNumbers } from './written-numbers';

it('finds the numbers of the object itself, digit for digit, and no others', () => {
  const text =
    '{"price": 123456789012345.1234 , "a":{"price":9},"b":[1,{"price":2}],"c":"{\\"price\\":3,","pr\\u0069ce2":-0.50,"d":1e3}';
  expect([...writtenNumbers(text)]).toEqual([
    ['price', '123456789012345.1234'],
    ['price2', '-0.50'],
    ['d', '1e3'],
  ]);
});

it('takes the last of a key that comes twice', () => {
  expect(writtenNumbers('{"price":12345678901234567,"price":76543210987654321}').get('price')).toBe(
    '76543210987654321',
  );
});

it('agrees with the parser about every number of every object', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (object, spaced) => {
      const text = JSON.stringify(object, null, spaced ? 2 : undefined);
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const numbers = Object.entries(parsed).filter(([, value]) => typeof value === 'number');
      const found = [...writtenNumbers(text)].map(([key, digits]) => [key, Number(digits)]);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(numbers));
    }),
  );
});
