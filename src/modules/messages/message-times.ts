import { CommonErrors } from '../../common/common.errors';

const YEAR_MS = 366 * 24 * 3_600_000;

/**
 * When a message is to be sent: not before the one, not after the other.
 * @throws VALIDATION_FAILED for an expiry that is over, or not after the schedule, and for a schedule more than a year ahead
 */
export function timesOf(
  { scheduledAt, expiresAt }: { scheduledAt: Date | undefined; expiresAt: Date | undefined },
  now: Date,
): { scheduledAt: Date | null; expiresAt: Date | null } {
  if (scheduledAt && scheduledAt.getTime() > now.getTime() + YEAR_MS)
    throw CommonErrors.invalidField('scheduled_at', 'scheduled_at must be within a year from now');
  if (expiresAt && expiresAt <= now) throw CommonErrors.invalidField('expires_at', 'expires_at must be in the future');
  if (scheduledAt && expiresAt && expiresAt <= scheduledAt)
    throw CommonErrors.invalidField('expires_at', 'expires_at must be later than scheduled_at');
  return { scheduledAt: scheduledAt ?? null, expiresAt: expiresAt ?? null };
}
