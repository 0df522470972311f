import { AppError } from '../../../common/app-error';
import type { LimitVerdict } from './parts';
import type { CallFailure } from './upstream-call';

/**
 * What the gateway refuses in its own name. Texts are fixed: what was sent is never repeated, and no upstream is named. Made
 * once where nothing in them changes: whoever floods the gateway pays for no stack trace.
 */
export const ProxyErrors = {
  malformed: new AppError('VALIDATION_FAILED', 'The request is malformed'),
  target: new AppError(
    'VALIDATION_FAILED',
    'The address must be a plain absolute path: no dot segments, no empty ones, no encoded slashes, no fragment',
  ),
  targetTooLong: new AppError('URI_TOO_LONG', 'The path is longer than 2,048 bytes'),
  host: new AppError('VALIDATION_FAILED', 'The request must have exactly one valid Host header'),
  framing: new AppError('VALIDATION_FAILED', 'The length of the body is given twice or contradicts itself'),
  upgrade: new AppError('VALIDATION_FAILED', 'A WebSocket is opened by GET with HTTP/1.1 and without a body'),
  method: new AppError('METHOD_NOT_ALLOWED', 'The gateway does not pass this method on', {
    headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
  }),
  key: new AppError('AUTHENTICATION_FAILED', 'X-API-Key must be there once and hold a live key', {
    headers: { 'www-authenticate': 'ApiKey' }, // RFC 9110 §11.6.1
  }),
  suspended: new AppError('TENANT_SUSPENDED', 'The tenant is suspended'),
  noRoute: new AppError('ROUTE_NOT_FOUND', 'No route of the gateway takes this request'),
  noUpstream: new AppError('NO_HEALTHY_UPSTREAM', 'No upstream of the route can be asked at the moment', {
    headers: { 'retry-after': '1' },
  }),
  badGateway: new AppError('BAD_GATEWAY', 'The upstream cannot be reached or gave no valid answer'),
  timeout: new AppError('GATEWAY_TIMEOUT', 'The upstream did not answer in time'),
  bodyTooSlow: new AppError('REQUEST_TIMEOUT', 'The body of the request did not arrive in time'),
  limited: (verdict: LimitVerdict): AppError =>
    new AppError('RATE_LIMITED', 'Too many requests', {
      headers: {
        'retry-after': String(verdict.resetS),
        'ratelimit-limit': String(verdict.limit),
        'ratelimit-remaining': String(verdict.remaining),
        'ratelimit-reset': String(verdict.resetS),
      },
    }),
  tunnels: new AppError('RATE_LIMITED', 'The tenant has as many open WebSockets as it may have', {
    headers: { 'retry-after': '10' },
  }),
};

/** What a client is told whose request an upstream gave no answer to. */
export function errorOf(failure: NonNullable<CallFailure>): AppError {
  if (failure === 'exhausted') return ProxyErrors.noUpstream;
  return failure === 'timeout' ? ProxyErrors.timeout : ProxyErrors.badGateway;
}
