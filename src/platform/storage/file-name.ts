/** As file systems take them. */
export const MAX_FILE_NAME_CHARACTERS = 255;

/** Control characters, and those that turn text around or hide in it: what is shown would not be what is there. */
const UNSEEN = /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** Whether a name holds a folder, or something that is not seen. */
export const isPlainFileName = (name: string): boolean =>
  !/[/\\]/.test(name) && name.search(UNSEEN) === -1 && name !== '.' && name !== '..';

/**
 * What somebody called a file, as a name that can be shown: its last part where it names folders, without control characters
 * and marks that turn text around, in one spelling (NFC), of at most 255 characters, its ending kept. It never becomes a path.
 * @param fallback where nothing is left
 */
export function shownFileName(given: string, fallback: string): string {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const name = last.replace(UNSEEN, '').normalize('NFC').trim();
  if (!/[^\p{C}\p{Z}\p{M}.]/u.test(name)) return fallback;
  return shortened(name);
}

function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_FILE_NAME_CHARACTERS) return name;
  const ending = [...(/\.[^.\s]{1,16}$/u.exec(name)?.[0] ?? '')];
  return [...characters.slice(0, MAX_FILE_NAME_CHARACTERS - ending.length), ...ending].join('');
}
