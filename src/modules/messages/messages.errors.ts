import { AppError } from '../../common/app-error';

/** Refusals of the messages feature. */
export const MessageErrors = {
  state: (action: 'cancelled' | 'retried', status: string) =>
    new AppError('MESSAGE_STATE', `The message cannot be ${action}: it is ${status}`),
  sessionDeleted: () =>
    new AppError('MESSAGE_STATE', 'The message cannot be retried: its session is deleted, or its campaign cancelled'),
  forceRequired: (status: string) =>
    new AppError(
      'FORCE_REQUIRED',
      `The message is ${status} and may have been sent: say {"force": true} to risk it twice`,
    ),
  /** The message to be answered has no id in WhatsApp yet. */
  notAnswerable: () =>
    new AppError('MESSAGE_STATE', 'The message in reply_to has not been sent: it cannot be answered'),
};
