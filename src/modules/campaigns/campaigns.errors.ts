import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of the campaigns feature. */
export const CampaignErrors = {
  notFound: () => CommonErrors.notFound('campaign'),
  state: (action: 'paused' | 'resumed' | 'cancelled', status: string) =>
    new AppError('CAMPAIGN_STATE', `The campaign cannot be ${action}: it is ${status}`),
  /** Its recipients came in too slowly, or another request with its key has taken over. */
  interrupted: () =>
    new AppError('CONFLICT', 'The recipients were too long in coming: nothing of it was accepted; send it again'),
};
