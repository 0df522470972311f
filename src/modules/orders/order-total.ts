/** Places after the point that money has in the database: numeric(19,4). */
const PLACES = 4;
const SCALE = 10n ** BigInt(PLACES);
/** The first number that it does not hold, in ten-thousandths. */
const TOO_MUCH = 10n ** 19n;

/**
 * What the pieces cost together, exactly: the sum of price times quantity, as a decimal of the database.
 * @param items prices as the database writes them (`'12.5000'`), quantities whole
 * @returns null where it is more than the database holds
 */
export function totalOf(items: readonly { price: string; quantity: number }[]): string | null {
  const total = items.reduce((sum, { price, quantity }) => sum + scaled(price) * BigInt(quantity), 0n);
  if (total >= TOO_MUCH) return null;
  return `${total / SCALE}.${String(total % SCALE).padStart(PLACES, '0')}`;
}

function scaled(price: string): bigint {
  const [whole = '', fraction = ''] = price.split('.');
  return BigInt(whole + fraction.padEnd(PLACES, '0'));
}
