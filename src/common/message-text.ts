import { length } from 'class-validator';

/** The longest text that WhatsApp takes. */
export const MAX_TEXT_CHARACTERS = 65_536;
/** The longest that it takes below a file. */
export const MAX_CAPTION_CHARACTERS = 1_024;

/** What keeps the text from being sent, to be said after the name of its field; null where nothing does. */
export function textFault(text: string): string | null {
  if (!length(text, 1, MAX_TEXT_CHARACTERS)) return `must have 1 to ${MAX_TEXT_CHARACTERS} characters`;
  return /\S/.test(text) ? null : 'must not be blank';
}
