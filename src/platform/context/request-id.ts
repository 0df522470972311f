import { newId } from '../../common/ids';

/** What tracing systems write: UUIDs, ULIDs, base64, `Root=1-67891233-abcdef012345678912345678`. */
const SANE = /^[\w.:/=+@-]{1,128}$/;

/** The request's id: the client's own when it is a sane value (1 to 128 of letters, digits and `_.:/=+@-`), else a new UUIDv7. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && SANE.test(header) ? header : newId();
}
