/**
 * What begins the text that stands in the place of a number. NUL cannot be stored, so no text of anybody's begins like this; whoever
 * sends one all the same has written the number that it ends with.
 */
const MARK = '\0number=';

/**
 * A number of which a double may not keep all, behind what comes before numbers: of more than 15 digits (IEEE 754, DBL_DIG), or of
 * an exponent that may lead out of its range.
 */
const LONG = /[:,[\s]-?(?:[\d.]{16}|\d[\d.]{0,14}[eE][+-]?\d{3})/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Of the shortest text that only one double has. */
const MOST_DIGITS = 17;
/** Longer decimals than that are written with an exponent. */
const MOST_ZEROS = 30;

/**
 * What `JSON.parse` gives, but for numbers that it would read as others (`12345678901234567890`, `0.1000000000000000001`, `1e-400`):
 * in their places stand texts that `isWrittenNumber` knows and nothing can store. Numbers beyond a double become infinite as ever.
 * @throws SyntaxError
 */
export const parseExactly = (text: string): unknown => exactly(text, JSON.parse(text));

/** The same of a text that was parsed already; all that texts without long numbers cost is one look. */
export function exactly(text: string, parsed: unknown): unknown {
  if (!LONG.test(text)) return parsed;
  const marked = withMarks(text);
  return marked === text ? parsed : JSON.parse(marked);
}

/** Whether it stands for a number that no double keeps as it was written. */
export const isWrittenNumber = (value: unknown): value is string => typeof value === 'string' && value.startsWith(MARK);

/** The number as it was written, of what stands in its place. */
export const numberAsWritten = (written: string): string => written.slice(MARK.length);

/** The fields, of which those named take such numbers: as decimal texts, digit for digit. */
export function withDecimals<T extends object>(fields: T, names: Iterable<string>): T {
  const exact = [...names].flatMap((name) => {
    const value = (fields as Record<string, unknown>)[name];
    const isOne = Object.hasOwn(fields, name) && isWrittenNumber(value);
    return isOne ? [[name, decimalText(numberAsWritten(value))] as const] : [];
  });
  return exact.length === 0 ? fields : { ...fields, ...Object.fromEntries(exact) };
}

/** The JSON with a marked text for each number of it that would be read as another one. */
function withMarks(text: string): string {
  const long = new RegExp(LONG, 'g');
  const texts = new Texts(text);
  const parts: string[] = [];
  let copied = 0;
  for (let found = long.exec(text); found; found = long.exec(text)) {
    const start = found.index + 1;
    const outside = texts.endAround(start);
    if (outside > start) {
      long.lastIndex = outside;
      continue;
    }
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(text)?.[0] ?? '';
    if (isKept(number)) continue;
    parts.push(text.slice(copied, start), JSON.stringify(MARK + number));
    copied = start + number.length;
  }
  return parts.join('') + text.slice(copied);
}

/** Where the texts of a JSON text are; asked for places in their order, it looks at each character once. */
class Texts {
  private opens: number;

  constructor(private readonly json: string) {
    this.opens = json.indexOf('"');
  }

  /** Behind the text in which the place lies; the place itself where it lies in none. */
  endAround(place: number): number {
    while (this.opens !== -1 && this.opens < place) {
      const end = this.closing(this.opens) + 1;
      this.opens = this.json.indexOf('"', end);
      if (end > place) return end;
    }
    return place;
  }

  private closing(opens: number): number {
    for (let quote = this.json.indexOf('"', opens + 1); ; quote = this.json.indexOf('"', quote + 1)) {
      let first = quote;
      while (this.json[first - 1] === '\\') first -= 1;
      if ((quote - first) % 2 === 0) return quote;
    }
  }
}

/** Whether a double keeps it: then its shortest text says the same number. */
function isKept(written: string): boolean {
  const read = Number(written);
  const text = String(read);
  if (text === written || !Number.isFinite(read)) return true;
  const { digits, power } = partsOf(written);
  if (digits.length > MOST_DIGITS) return false;
  const shortest = partsOf(text);
  return digits === shortest.digits && power === shortest.power;
}

interface Parts {
  sign: string;
  /** Without zeros at either end; empty for nothing. */
  digits: string;
  /** Of ten, of the last digit. */
  power: number;
}

function partsOf(number: string): Parts {
  const [, sign = '', whole = '', places = '', exponent = '0'] = PARTS.exec(number) ?? [];
  const all = whole + places;
  let [first, end] = [0, all.length];
  while (all[first] === '0') first += 1;
  if (first === end) return { sign, digits: '', power: 0 };
  while (all[end - 1] === '0') end -= 1;
  return { sign, digits: all.slice(first, end), power: Number(exponent) - places.length + all.length - end };
}

/** Without an exponent, unless that would make it endless. */
function decimalText(written: string): string {
  const { sign, digits, power } = partsOf(written);
  if (power > MOST_ZEROS || power < -digits.length - MOST_ZEROS) return written;
  if (power >= 0) return sign + digits + '0'.repeat(power);
  const padded = digits.padStart(1 - power, '0');
  return `${sign}${padded.slice(0, power)}.${padded.slice(power)}`;
}
