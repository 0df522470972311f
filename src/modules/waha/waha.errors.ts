import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { WahaFailure } from './client/waha-failure';

export { WahaFailure };

/** Refusals of the waha feature. */
export const WahaErrors = {
  unavailable: (cause?: unknown) =>
    new AppError('WAHA_UNAVAILABLE', 'WAHA cannot be reached or did not answer in time', {
      cause,
      headers: { 'Retry-After': '5' },
    }),
  refused: (why: string) => new AppError('WAHA_UNAVAILABLE', why),
  tooOld: (why: string) => new AppError('WAHA_TOO_OLD', why),
  notRecognized: (cause: unknown) =>
    new AppError('WAHA_NOT_RECOGNIZED', 'What answers at this address is no WAHA, or refuses the key', { cause }),
  poolFull: () =>
    new AppError('WAHA_POOL_FULL', 'No WAHA server that is up has room for another session', {
      headers: { 'Retry-After': '30' },
    }),
  serverNotFound: () => CommonErrors.notFound('server'),
  serverTaken: () => new AppError('SERVER_TAKEN', 'A WAHA server of this address is registered already'),
  serverInUse: (why: string) => new AppError('SERVER_IN_USE', why),
  sessionNotFound: () => CommonErrors.notFound('session'),
  nameTaken: () => new AppError('SESSION_NAME_TAKEN', 'A session of this name exists already'),
  notReady: (status: string) =>
    new AppError('SESSION_NOT_READY', `The session is not ready for this: its status is ${status}`),
  sessionRequired: (count: number) =>
    new AppError(
      'SESSION_REQUIRED',
      count === 0 ? 'There is no session yet: create one first' : 'There are several sessions: name one in session_id',
    ),
};

/** What the caller of our API sees of a failed call to WAHA: 503, or 409 when it is the session's state. */
export function toApiError(error: unknown, status: string): unknown {
  if (!(error instanceof WahaFailure)) return error;
  return error.sessionNotReady ? WahaErrors.notReady(status) : WahaErrors.unavailable(error);
}
