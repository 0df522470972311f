import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/**
 * The digits, country code first, of a phone number in any common spelling with its country code (`+44 20 7946 0958`,
 * `0044…`, `442079460958`). Null when it is none, and for a number with an extension, which WhatsApp does not have. A
 * *possible* number is taken: numbering plans change faster than libraries.
 */
export function phoneDigits(text: string): string | null {
  const international = text
    .trim()
    .replace(/^00/, '+')
    .replace(/^(?=\d)/, '+');
  const number = parsePhoneNumberFromString(international, { extract: false });
  return number?.isPossible() && number.ext === undefined ? number.number.slice(1) : null;
}
