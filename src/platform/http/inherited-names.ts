import type { ErrorDetail } from '../../common/app-error';
import { UNKNOWN_FIELD } from './validation-details';

/** What every object answers to: class-validator looks fields up in plain objects and so takes these for known ones. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Whether every object has a member of this name. */
export const isInheritedName = (name: string): boolean => INHERITED.has(name);

const NONE: ReadonlySet<string> = new Set();

/**
 * Fields of a body or query that are named like members of every object (`toString`, `constructor`, `__proto__`): no class
 * declares such a field. Recursive: the caller has bounded the depth.
 * @param free properties at the top that may hold any keys
 */
export function inheritedNames(value: unknown, free = NONE, parent = ''): ErrorDetail[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => {
    const field = parent ? `${parent}.${key}` : key;
    if (INHERITED.has(key)) return [{ field, message: UNKNOWN_FIELD }];
    return free.has(key) ? [] : inheritedNames((value as Record<string, unknown>)[key], NONE, field);
  });
}
