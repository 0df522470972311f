const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const NUMBER = /^-?\d/;
/** How far a token leads into what it stands in, or out of it. */
const STEPS: Readonly<Record<string, number>> = { '{': 1, '[': 1, '}': -1, ']': -1 };

/**
 * The numbers that stand directly in the object which the text is, by their keys, digit for digit: the parser makes doubles of
 * them. Of a key that comes twice the last one counts, as it does for the parser.
 * @param text a JSON object that was parsed already: nothing else is to be expected of anything else
 */
export function writtenNumbers(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  let before = '';
  let key = '';
  for (const [token] of text.matchAll(TOKEN)) {
    depth += STEPS[token] ?? 0;
    if (depth === 1 && token === ':') key = JSON.parse(before) as string;
    else if (depth === 1 && NUMBER.test(token)) found.set(key, token);
    before = token;
  }
  return found;
}
