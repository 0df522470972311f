import { maxLength } from 'class-validator';
import { isVariableValue } from '../templates/template-text';
import { amountText, itemsText, orderVariables } from './order-message';

describe('amountText', () => {
  it.each([
    ['12.5000', 'EUR', '12.50'],
    ['12.0000', 'EUR', '12.00'],
    ['7', 'USD', '7.00'],
    ['0.1234', 'EUR', '0.1234'],
    ['1500.0000', 'JPY', '1500'],
    ['1500.5000', 'JPY', '1500.5'],
    ['1.5000', 'KWD', '1.500'],
    ['999999999999999.9999', 'EUR', '999999999999999.9999'],
  ])('writes %s %s as %s', (amount, currency, text) => {
    expect(amountText(amount, currency)).toBe(text);
  });
});

describe('itemsText', () => {
  const items = (count: number, name: string) => Array.from({ length: count }, () => ({ name, quantity: 2 }));

  it('names pieces and products in their order', () => {
    const some = [
      { name: 'Submariner', quantity: 2 },
      { name: 'Datejust', quantity: 1 },
    ];
    expect(itemsText(some)).toBe('2 × Submariner, 1 × Datejust');
  });

  it('says of long orders how many products more there are', () => {
    const text = itemsText(items(100, 'Submariner Date'));
    const [, rest] = /, \+ (\d+)$/.exec(text) ?? [];
    const shown = text.split(', ').length - 1;
    expect([shown + Number(rest), maxLength(text, 500)]).toEqual([100, true]);
    expect(maxLength(`${text}, 2 × Submariner Date`, 500)).toBe(false);
  });

  it('cuts a name that is longer than all that is shown', () => {
    const text = itemsText(items(3, '👍'.repeat(600)));
    expect([[...text].length, text.endsWith('👍…')]).toEqual([500, true]);
  });
});

describe('orderVariables', () => {
  it('are values that every template takes, a customer without a name included', () => {
    const items = Array.from({ length: 100 }, () => ({ name: 'x'.repeat(200), quantity: 2_147_483_647 }));
    const order = { id: 'ord_1', status: 'pending', total: '1.0000', currency: 'EUR', items };
    const values = orderVariables(order, null);
    expect(Object.keys(values)).toEqual(['customer_name', 'order_id', 'total', 'currency', 'status', 'items']);
    expect(Object.values(values).every(isVariableValue)).toBe(true);
    expect(values).toMatchObject({ customer_name: '', order_id: 'ord_1', total: '1.00', status: 'pending' });
  });
});
