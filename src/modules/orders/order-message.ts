import { maxLength } from 'class-validator';
import type { VariableValues } from '../templates/dto/variables.dto';

/** Why an order's change sends no message: it is made all the same. */
export const SKIPS = [
  'NO_PHONE',
  'TEMPLATE_NOT_FOUND',
  'TEMPLATE_NOT_FILLABLE',
  'SESSION_REQUIRED',
  'SESSION_NOT_FOUND',
  'QUOTA_EXCEEDED',
  'STORAGE_FULL',
] as const;
export type Skip = (typeof SKIPS)[number];

/** What became of a message that a change of an order was to send. */
export type Told = { id: string } | { skipped: Skip };

/** What a message can say of an order. */
export interface OrderFacts {
  id: string;
  status: string;
  /** A decimal of the database. */
  total: string;
  /** ISO 4217. */
  currency: string;
  items: readonly { name: string; quantity: number }[];
}

/** Texts of a message are short: what a template takes of one value is more. */
const MAX_ITEMS_CHARACTERS = 500;

/**
 * What the variables of an order's template become: `customer_name` (empty where the customer has none), `order_id`, `total`
 * (with as many places as its currency has), `currency`, `status`, and `items` (`2 × Submariner, 1 × Datejust`; of long
 * orders the first ones, and how many products more).
 */
export const orderVariables = (order: OrderFacts, customerName: string | null): VariableValues => ({
  customer_name: customerName ?? '',
  order_id: order.id,
  total: amountText(order.total, order.currency),
  currency: order.currency,
  status: order.status,
  items: itemsText(order.items),
});

/** The amount with the places that its currency has, and more where it has more: `12.5` EUR is `12.50`, JPY has none. */
export function amountText(amount: string, currency: string): string {
  const places = placesOf(currency);
  const [whole = '0', fraction = ''] = amount.split('.');
  const digits = fraction.replace(/0+$/, '').padEnd(places, '0');
  return digits === '' ? whole : `${whole}.${digits}`;
}

/** Two, as most have, for a currency that this version of ICU does not know. */
function placesOf(currency: string): number {
  const { maximumFractionDigits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  return maximumFractionDigits ?? 2;
}

/** The items in their order, as many as fit. */
export function itemsText(items: OrderFacts['items']): string {
  const all = items.map(({ name, quantity }) => `${quantity} × ${name}`);
  for (let shown = all.length; shown > 0; shown -= 1) {
    const rest = all.length - shown;
    const text = all.slice(0, shown).join(', ') + (rest > 0 ? `, + ${rest}` : '');
    if (maxLength(text, MAX_ITEMS_CHARACTERS)) return text;
  }
  // Not even the first: a name may be longer than all that is shown.
  return `${[...(all[0] ?? '')].slice(0, MAX_ITEMS_CHARACTERS - 1).join('')}…`;
}
