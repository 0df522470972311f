import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

const FIELD = 'Idempotency-Key';

/** Refusals of requests that carry `Idempotency-Key`. */
export const IdempotencyErrors = {
  malformedKey: () => CommonErrors.invalidField(FIELD, 'must be 1 to 255 visible ASCII characters'),
  notOffered: () => CommonErrors.invalidField(FIELD, 'is not offered by this route: leave the header out'),
  /** What is not read into memory is told apart by its digest (RFC 9530). */
  digestNeeded: () =>
    CommonErrors.invalidField(FIELD, 'needs Content-Digest with a body that is streamed, to tell it from another'),
  tooDeep: () => CommonErrors.invalidField('body', 'is nested too deep'),
  reused: () => new AppError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used before with another request'),
  inProgress: () =>
    new AppError('IDEMPOTENCY_IN_PROGRESS', 'The first request with this Idempotency-Key is still running', {
      headers: { 'Retry-After': '1' },
    }),
};
