import type { GatewayRoute } from '../gateway-route';
import { joinedTarget, trimmedPrefix } from './path-rules';

/** How often the groups of a regular expression may occur in one rewrite. */
const MAX_REFERENCES = 16;
const REFERENCE = /\$([1-9])/g;

/** Why a rewrite cannot be, or null. @param groups of the regular expression; null where the route has none */
export function rewriteFault(rewrite: string, groups: number | null): string | null {
  const references = [...rewrite.matchAll(REFERENCE)].map(([, group]) => Number(group));
  if (groups === null) return references.length > 0 ? 'may name groups ($1) of a regular expression only' : null;
  if (/\$(?![1-9])/.test(rewrite))
    return 'must not hold `$` but before the number of a group, 1 to 9 (`%24` is the character)';
  if (references.length > MAX_REFERENCES) return `must not name groups more than ${MAX_REFERENCES} times`;
  const missing = references.find((group) => group > groups);
  return missing === undefined ? null : `names group $${missing}; the regular expression has ${groups}`;
}

/** What an exact route asks its upstream for. */
export const exactTarget = ({ path, rewrite }: GatewayRoute): string => rewrite ?? path;

/** What a prefix route asks its upstream for; the rest after the prefix stays as it came. @param matched its length, 0 for `/` */
export function prefixTarget({ stripPrefix, rewrite }: GatewayRoute, path: string, matched: number): string {
  if (rewrite !== null) return joined(trimmedPrefix(rewrite), path.slice(matched));
  return stripPrefix ? joined('', path.slice(matched)) : path;
}

/** `/` and what follows it are one slash. */
const joined = (base: string, rest: string): string => (base === '/' ? '' : base) + rest || '/';

/** A rewrite with groups, taken apart once. */
export class GroupRewrite {
  private readonly parts: readonly (string | number)[];

  constructor(rewrite: string) {
    this.parts = rewrite.split(REFERENCE).map((part, index) => (index % 2 === 1 ? Number(part) : part));
  }

  /** The target; null where what the groups hold would lead elsewhere (path-rules.ts). */
  apply(groups: readonly string[]): string | null {
    return joinedTarget(this.parts.map((part) => (typeof part === 'number' ? (groups[part] ?? '') : part)).join(''));
  }
}
