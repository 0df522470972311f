import { Injectable, Logger } from '@nestjs/common';
import { PLATFORM_TENANT_ID } from '../../common/actor';
import type { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { AuditLog } from '../../platform/audit/audit-log';
import { type AuditActor, auditRow, NOBODY } from '../../platform/audit/audit-record';
import { currentContext } from '../../platform/context/request-context';
import { FAILURES_THAT_LOCK } from '../../platform/database/login-statements';
import type { Account } from '../users/users.service';
import { AuthErrors } from './auth.errors';
import { LoginFailuresRepository } from './login-failures.repository';

/** Somebody tries to prove who they are with a password. */
export interface Attempt {
  /** In its normal spelling. */
  email: string;
  /** The accounts that are meant. */
  meant: readonly Pick<Account, 'tenantId' | 'userId'>[];
  /** Who tries, where that is known. */
  who?: AuditActor;
}

/** What was wrong with an attempt: for the audit trail, never for the caller. */
export type FailureReason = 'unknown' | 'password' | 'inactive' | 'locked';

/**
 * Five failures for one account within 15 minutes lock it for 15 minutes. An account is an email, known or not. PostgreSQL
 * holds the count, so that it is the same for all processes and outlives them.
 *
 * However many attempts come at once, five of them learn that they were wrong, and no more: outcomes take their turn at the
 * row of the account, and one that comes after the lock is refused like any other, be it right or wrong.
 */
@Injectable()
export class LockOut {
  private readonly logger = new Logger('Auth');

  constructor(
    private readonly failures: LoginFailuresRepository,
    private readonly audit: AuditLog,
  ) {}

  /** Seconds that the account is still locked; null when it is open. To be asked before a password is compared. */
  lockedForS(email: string): Promise<number | null> {
    return this.failures.findLock(email);
  }

  /** What an attempt at a locked account is told; it is recorded, and counts no more. */
  refusal(attempt: Attempt, lockedS: number): AppError {
    this.note(attempt, 'locked');
    return AuthErrors.accountLocked(lockedS);
  }

  /** Counts a failure and says what the caller is told: AUTHENTICATION_FAILED, or ACCOUNT_LOCKED when it came too late. */
  async failed(attempt: Attempt, reason: FailureReason): Promise<AppError> {
    const { failures, lockedS } = await this.failures.addFailure(attempt.email, lockRecord(attempt));
    const late = failures > FAILURES_THAT_LOCK && lockedS !== null;
    this.note(attempt, late ? 'locked' : reason);
    return late ? AuthErrors.accountLocked(lockedS) : CommonErrors.authenticationFailed();
  }

  /** Counts a failure beside a success: the password was wrong for another account of the email. `succeeded` comes next. */
  async missedBeside(attempt: Attempt): Promise<void> {
    await this.failures.addFailure(attempt.email, lockRecord(attempt));
    this.note(attempt, 'password');
  }

  /**
   * Settles a success.
   * @param alone whether the email has this one account only. Where it has several, a success at one forgets nothing: with
   *   an account of somebody else's email in a tenant of one's own, one could guess on for ever.
   * @throws ACCOUNT_LOCKED when the account was locked meanwhile: the success counts for nothing.
   */
  async succeeded(attempt: Attempt, alone: boolean): Promise<void> {
    const lockedS = await this.failures.settleSuccess(attempt.email, alone);
    if (lockedS !== null) throw this.refusal(attempt, lockedS);
  }

  private note(attempt: Attempt, reason: FailureReason): void {
    // Who watches for guessing reads it; which email it was would tell the log's readers of our users.
    this.logger.warn({ msg: 'login refused', reason, ip: currentContext()?.ip });
    const { tenantId, resource } = placeOf(attempt);
    const personal = { email: attempt.email };
    this.audit.note(tenantId, attempt.who ?? NOBODY, {
      action: 'LOGIN_FAILED',
      resource,
      metadata: { reason },
      personal,
    });
  }
}

function lockRecord(attempt: Attempt) {
  const { tenantId, resource } = placeOf(attempt);
  const personal = { email: attempt.email };
  return auditRow(tenantId, attempt.who ?? NOBODY, { action: 'ACCOUNT_LOCKED', resource, personal });
}

/** In whose chain it is recorded: in that of the one tenant that is meant, else in the platform's. */
function placeOf({ meant }: Attempt): { tenantId: string; resource: string } {
  const [account, another] = meant;
  if (!account || another) return { tenantId: PLATFORM_TENANT_ID, resource: 'login' };
  return { tenantId: account.tenantId, resource: `user:${account.userId}` };
}
