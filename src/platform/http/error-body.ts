import type { AppError, ErrorDetail, ErrorFacts } from '../../common/app-error';
import type { ErrorCode } from '../../common/error-codes';

/** The one shape of every error answer (docs/ERRORS.md). */
export interface ErrorBody extends ErrorFacts {
  /** What went wrong, for a person. */
  error: string;
  code: ErrorCode;
  /** Equals the `X-Request-Id` header. */
  requestId: string;
  /** Present only where fields are at fault. */
  details?: ErrorDetail[];
}

/** Renders a refusal; nothing but its safe text, its code, its fields and its figures gets out. */
export function errorBody(error: AppError, requestId: string): ErrorBody {
  const body: ErrorBody = { error: error.message, code: error.code, requestId, ...error.facts };
  if (error.details?.length) body.details = error.details;
  return body;
}
