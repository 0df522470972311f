import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of the campaigns feature. */
export const CampaignErrors = {
  notFound: () => CommonErrors.notFound('campaign'),
  state: (action: 'paused' | 'resumed' | 'cancelled', status: string) =>
    new AppError('CAMPAIGN_STATE', `The campaign cannot be ${action}: it is ${status}`),
  /** Its recipients came in too slowly, another request with its key has taken over, or one that broke off is being forgotten. */
  interrupted: () =>
    new AppError('SERVICE_UNAVAILABLE', 'The recipients were interrupted: nothing of it was accepted; send it again', {
      headers: { 'Retry-After': '2' },
    }),
  tooManyToRehearse: (most: number) => CommonErrors.invalidField('dry_run', `dry_run takes at most ${most} recipients`),
};
