import fc from 'fast-check';
import { totalOf } from './order-total';

const of = (...items: [price: string, quantity: number][]) =>
  totalOf(items.map(([price, quantity]) => ({ price, quantity })));

describe('totalOf', () => {
  it('is exact where binary floating point is not', () => {
    expect(of(['0.1', 1], ['0.2', 1])).toBe('0.3000');
    expect(of(['1.005', 1_000])).toBe('1005.0000');
    expect(of(['12.5000', 2], ['0', 5])).toBe('25.0000');
    expect(of(['0.0001', 1])).toBe('0.0001');
  });

  it('goes up to what the database holds, and no further', () => {
    expect(of(['999999999999999.9999', 1])).toBe('999999999999999.9999');
    expect(of(['999999999999999.9999', 1], ['0.0001', 1])).toBeNull();
    expect(of(['999999999999999.9999', 2_147_483_647])).toBeNull();
  });

  it('is the sum of any prices times any quantities, in whatever order', () => {
    const price = fc.bigInt({ min: 0n, max: 10n ** 9n });
    const written = (amount: bigint) => `${amount / 10_000n}.${String(amount % 10_000n).padStart(4, '0')}`;
    const items = fc.array(fc.tuple(price, fc.integer({ min: 1, max: 10_000 })), { maxLength: 100 });
    fc.assert(
      fc.property(items, (all) => {
        const sum = all.reduce((total, [amount, quantity]) => total + amount * BigInt(quantity), 0n);
        const given = all.map(([amount, quantity]) => ({ price: written(amount), quantity }));
        expect([totalOf(given), totalOf(given.toReversed())]).toEqual([written(sum), written(sum)]);
      }),
    );
  });
});
