import { AppError } from '../../common/app-error';

/** Refusals of the webhooks feature. */
export const WebhookErrors = {
  state: (status: string) => new AppError('EVENT_STATE', `The event cannot be applied again: it is ${status}`),
};
