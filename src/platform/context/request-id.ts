import { newId } from '../../common/ids';

const SANE = /^[A-Za-z0-9._-]{8,64}$/;

/** The request's id: the client's own when it is a sane value (8 to 64 of letters, digits, `.`, `_`, `-`), else a new UUIDv7. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && SANE.test(header) ? header : newId();
}
