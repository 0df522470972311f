import type { ErrorDetail } from '../../../common/app-error';
import { HeaderKind, kindOf } from '../proxy/header-kinds';
import type { RouteHeaders } from './stored-route';

/** Names to set; as many to remove. */
export const MAX_NAMES = 32;
export const MAX_NAME_CHARACTERS = 128;
export const MAX_VALUE_CHARACTERS = 4_096;
/** RFC 9110 §5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 §5.5, of ASCII: neither CR nor LF, and no blank at either end. */
export const VALUE = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/** What the gateway itself says of each request. */
const OWN: readonly HeaderKind[] = [HeaderKind.ours, HeaderKind.host, HeaderKind.contentLength, HeaderKind.requestId];

/** The headers with their names in lower case. */
export const loweredHeaders = ({ set, remove }: RouteHeaders): RouteHeaders => ({
  set: Object.fromEntries(Object.entries(set).map(([name, value]) => [name.toLowerCase(), value])),
  remove: [...new Set(remove.map((name) => name.toLowerCase()))],
});

/** What is wrong with the headers, as they were given. */
export function headerFaults({ set, remove }: RouteHeaders): ErrorDetail[] {
  const names = Object.keys(set);
  if (names.length > MAX_NAMES || remove.length > MAX_NAMES)
    return [
      { field: 'headers', message: `headers must hold at most ${MAX_NAMES} names to set, and as many to remove` },
    ];
  const lower = names.map((name) => name.toLowerCase());
  if (new Set(lower).size < lower.length)
    return [{ field: 'headers.set', message: 'set must not name a header twice, in whatever case' }];
  return [
    ...names.flatMap((name) => setFault(name, set[name])),
    ...remove.flatMap((name, index) => removeFault(name, index, lower)),
  ];
}

function setFault(name: string, value: unknown): ErrorDetail[] {
  const field = `headers.set.${name.slice(0, MAX_NAME_CHARACTERS)}`;
  if (!isName(name)) return [{ field, message: 'is no name of a header' }];
  const kind = kindFault(name);
  if (kind !== null) return [{ field, message: kind }];
  if (typeof value !== 'string') return [{ field, message: 'must be a string' }];
  if (value.length > MAX_VALUE_CHARACTERS || !VALUE.test(value))
    return [{ field, message: `must be of printable ASCII, at most ${MAX_VALUE_CHARACTERS} characters` }];
  return [];
}

function removeFault(name: string, index: number, set: string[]): ErrorDetail[] {
  const field = `headers.remove.${index}`;
  if (!isName(name)) return [{ field, message: 'is no name of a header' }];
  const kind = kindFault(name);
  if (kind !== null) return [{ field, message: kind }];
  return set.includes(name.toLowerCase()) ? [{ field, message: 'is set as well' }] : [];
}

/** Why the gateway would not do what the route says of the name. */
function kindFault(name: string): string | null {
  const kind = kindOf(name);
  if (kind === HeaderKind.endToEnd) return null;
  return OWN.includes(kind) ? 'is said by the gateway itself' : 'is never passed on to an upstream';
}

const isName = (name: string): boolean => name.length <= MAX_NAME_CHARACTERS && TOKEN.test(name);
