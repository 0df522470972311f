import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import type { AuditRow } from '../../platform/audit/audit-record';
import { deriveKey } from '../../platform/crypto/keys';
import { SystemDatabase } from '../../platform/database/system-database';

/** How an account stands after a failure. */
export interface FailureCount {
  /** Within the window, this one included; beyond those that lock it, the account was locked before this one. */
  failures: number;
  /** Seconds that the account is still locked; null while it is open. */
  lockedS: number | null;
}

interface LockRow {
  locked_s: number | null;
}

/**
 * The queries on `login_failures`. Its rows are found by an HMAC of the email under a key of the installation, so that the
 * table names nobody.
 */
@Injectable()
export class LoginFailuresRepository {
  private readonly key: Buffer;

  constructor(
    private readonly system: SystemDatabase,
    config: Config,
  ) {
    // Not of JWT_SECRET: rotating that one would unlock everybody.
    if (!config.DATA_ENCRYPTION_KEY) throw new Error('DATA_ENCRYPTION_KEY is needed before anybody can log in');
    this.key = deriveKey(Buffer.from(config.DATA_ENCRYPTION_KEY, 'base64'), 'login failures');
  }

  /** Seconds that the account is still locked; null when it is open. */
  async findLock(email: string): Promise<number | null> {
    const [row] = await this.system.run<LockRow>('loginLock', [this.accountOf(email)]);
    return row?.locked_s ?? null;
  }

  /** Counts a failure; with the one that locks the account the record is written, in the same statement. */
  async addFailure(email: string, record: AuditRow): Promise<FailureCount> {
    const params = [this.accountOf(email), ...record];
    const [row] = await this.system.run<LockRow & { failures: number }>('loginFailed', params);
    return { failures: row?.failures ?? 0, lockedS: row?.locked_s ?? null };
  }

  /** Forgets the failures where that is wanted, unless the account is locked: then for how many seconds it still is. */
  async settleSuccess(email: string, forget: boolean): Promise<number | null> {
    const [row] = await this.system.run<LockRow>('loginSucceeded', [this.accountOf(email), forget]);
    return row?.locked_s ?? null;
  }

  private accountOf(email: string): Buffer {
    return createHmac('sha256', this.key).update(email, 'utf8').digest();
  }
}
