import type { Permission } from '../../common/permissions';
import type { DeclaredInput } from './declared-input';

/** Who may call a handler. */
export type AccessMark = { kind: 'permission'; permission: Permission } | { kind: 'public'; why: string };

/** How a handler's callers are counted: by address while unauthenticated, as an attempt to get in, or not at all. */
export type LimitMark = { kind: 'default' } | AttemptMark | { kind: 'none'; why: string };

/** An attempt to get in. */
export interface AttemptMark {
  kind: 'auth';
  bucket: string;
  /** Whether a request of this body is one; where it is not, its caller counts as everywhere. */
  when: (body: unknown) => boolean;
  /** Whom a body, not validated yet, is about, in one spelling; undefined where it tells not. Asked for nobody who is known. */
  accountOf: (body: unknown) => string | undefined;
}

/** All that the guard knows of a handler. */
export interface AccessRule {
  access: AccessMark;
  limit: LimitMark;
  input: DeclaredInput;
}

const ACCESS = Symbol('access');
const LIMIT = Symbol('limit');

type Handler = (...args: never[]) => unknown;
type Marked = Handler & { [ACCESS]?: { access: AccessMark; input: DeclaredInput }; [LIMIT]?: LimitMark };

/** Notes on the handler who may call it, and with what. */
export const markAccess = (handler: object, access: AccessMark, input: DeclaredInput): void => {
  (handler as Marked)[ACCESS] = { access, input };
};

/** Notes on the handler how its callers are counted. */
export const markLimit = (handler: object, mark: LimitMark): void => {
  (handler as Marked)[LIMIT] = mark;
};

const BY_ADDRESS: LimitMark = { kind: 'default' };

/** The marks of a handler; null for one that nobody marked, which nobody may call. Two property reads: no metadata look-up per request. */
export function accessRuleOf(handler: object): AccessRule | null {
  const { [ACCESS]: mark, [LIMIT]: limit } = handler as Marked;
  return mark ? { access: mark.access, input: mark.input, limit: limit ?? BY_ADDRESS } : null;
}
