/** What `numeric(19,4)` holds. */
export const MONEY_PLACES = { before: 15, after: 4 } as const;

/** So many significant digits of a decimal come out of a double as they went in (IEEE 754, DBL_DIG). */
const EXACT_DIGITS = 15;

/** Numbers as JSON writes them, but for signs and exponents. */
const MONEY = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,4})?$/;

const significantDigits = (text: string): number => text.replace('.', '').replace(/^0+/, '').length;

/** The same number without zeros at the end of its fraction: `12.5000` is `12.5`, `3.0000` is `3`. */
const trimmedDecimal = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/**
 * An amount of money as people write it, from nothing up, as the decimal text that goes into the database; null where it is
 * none: at most 15 digits before the point and 4 after it. A number is taken by its shortest decimal text, which is the number that
 * the client wrote: one that no double keeps comes as a text (written-numbers.ts).
 */
export function parseMoney(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value);
  return MONEY.test(text) ? trimmedDecimal(text) : null;
}

/** What PostgreSQL writes for a numeric, NaN and the infinities left out. */
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/**
 * A decimal of the database (`'12.5000'`) as it is answered: a JSON number of the same digits, zeros at the end cut. Where a
 * double cannot hold it, it is an object that `jsonText` writes digit for digit, and that counts as the nearest number anywhere
 * else; do not calculate with it: the database does.
 * @throws Error for what is no decimal
 */
export function decimal(text: string): number {
  if (!DECIMAL.test(text)) throw new Error('Not a decimal of the database');
  const trimmed = trimmedDecimal(text);
  if (significantDigits(trimmed.replace('-', '')) <= EXACT_DIGITS && !isTiny(trimmed)) return Number(trimmed);
  return new LongDecimal(trimmed) as unknown as number;
}

/** A double that small is written with an exponent. */
const isTiny = (text: string): boolean => /^-?0\.0{6}/.test(text);

// NUL cannot be stored, so no text of anybody's begins like this; JSON writes it as the six characters \u0000.
const MARK = '\0decimal=';
const MARKED = /"\\u0000decimal=(-?\d+(?:\.\d+)?)"/g;

/** Whether jsonText is at work, which happens without a pause: what is marked then is its to write out. */
let writing = false;
let marked = false;

/** A decimal of more digits than a double holds. */
class LongDecimal {
  constructor(private readonly text: string) {}

  toJSON(): string | number {
    if (!writing) return Number(this.text);
    marked = true;
    return MARK + this.text;
  }

  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }
}

/** What `JSON.stringify` gives, with every `decimal` written digit for digit. */
export function jsonText(value: unknown): string {
  writing = true;
  marked = false;
  try {
    const text = JSON.stringify(value);
    return marked ? text.replace(MARKED, '$1') : text;
  } finally {
    writing = false;
  }
}
