import { phoneDigits } from '../../common/phone-number';

/** WhatsApp chat ids that can be written to: a person, a hidden id, a group (docs/WAHA.md §4). */
const CHAT_ID = /^(?:\d{5,20}@(?:c\.us|lid)|\d{5,20}(?:-\d{5,15})?@g\.us)$/;

/**
 * The chat id of a recipient as a person writes it: a chat id, or a phone number in any common spelling with its country
 * code (`+44 20 7946 0958`, `0044…`, `442079460958`). Null when it is neither, and for a number with an
 * extension, which WhatsApp does not have. A *possible* number is taken: numbering plans
 * change faster than libraries.
 */
export function chatAddress(to: string): string | null {
  const text = to.trim();
  if (text.includes('@')) {
    const id = text.toLowerCase().replace(/@s\.whatsapp\.net$/, '@c.us');
    return CHAT_ID.test(id) ? id : null;
  }
  const digits = phoneDigits(text);
  return digits === null ? null : `${digits}@c.us`;
}
