import type { AccessLine } from '../../../platform/logging/access-log';
import type { EndedExchange } from './parts';

/** What the log says of an exchange: the id of its route, never its path, which may carry secrets. */
export const accessLineOf = (ended: EndedExchange): AccessLine => ({
  requestId: ended.requestId,
  actor: ended.actor ?? undefined,
  method: ended.method,
  route: ended.route?.id ?? 'unmatched',
  status: ended.status,
  ms: ended.totalMs,
  ip: ended.address,
  upstream: { ms: ended.upstreamMs, attempts: ended.attempts },
});
