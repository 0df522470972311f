import { CommonErrors } from '../../common/common.errors';
import type { Egress } from './egress';
import { EgressFailure } from './egress-failure';

/**
 * Whether something may be fetched from there, as far as the address tells.
 * @throws VALIDATION_FAILED of that field when it never would be
 */
export function checkAddress(egress: Egress, url: string, field: string): void {
  try {
    egress.check(url);
  } catch (error) {
    if (error instanceof EgressFailure) throw CommonErrors.invalidField(field, error.message);
    throw error;
  }
}
