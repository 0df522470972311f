import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { UserActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { Cache } from '../../platform/cache/cache';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { type Account, UsersService } from '../users/users.service';
import { type Attempt, type FailureReason, LockOut } from './lock-out.service';

/** What somebody logs in with. */
export interface Credentials {
  /** In its normal spelling. */
  email: string;
  password: string;
  /** Id or slug of the tenant that is meant, where the email has several. */
  tenant?: string;
}

/** How many accounts of one email a password is tried on: each costs a bcrypt. Beyond, the tenant has to be named. */
const MAX_TRIED = 5;

/** How long a new account of an email that has others may go unnoticed in the time that refusals take. */
const MOST_TTL_MS = 10 * 60_000;

/** Checks passwords, with the lock-out around it. A locked account costs no bcrypt. */
@Injectable()
export class PasswordCheck {
  constructor(
    private readonly hasher: PasswordHasher,
    private readonly users: UsersService,
    private readonly lockOut: LockOut,
    private readonly cache: Cache,
  ) {}

  /**
   * The accounts that the credentials open: at least one.
   * @throws AUTHENTICATION_FAILED whatever is wrong, the email included, after the same time.
   * @throws ACCOUNT_LOCKED after too many failures, whether or not anybody has that email.
   * @throws RATE_LIMITED when too many others are logging in.
   */
  async opened({ email, password, tenant }: Credentials): Promise<[Account, ...Account[]]> {
    const { all, lockedS } = await this.look(email);
    const meant = all.filter((account) => !tenant || isOf(account, tenant));
    if (lockedS !== null) throw this.lockOut.refusal({ email, meant }, lockedS);
    const tried = [...meant.filter(({ open }) => open), ...meant.filter(({ open }) => !open)].slice(0, MAX_TRIED);
    const matching = await this.tryOn(tried, password, tenant !== undefined);
    const [first, ...others] = matching.filter((account) => account.open);
    if (!first) throw await this.lockOut.failed({ email, meant }, reasonOf(meant, matching));
    // Right for one account and wrong for another: with an account of somebody's email in a tenant of one's own, each such
    // login would be a free guess at the other's password.
    if (!tenant && meant.some((account) => account.open && !matching.includes(account)))
      await this.lockOut.missedBeside({ email, meant });
    await this.lockOut.succeeded({ email, meant: [first, ...others] }, all.length === 1);
    return [first, ...others];
  }

  /**
   * The hash of the actor's own password, which this one is.
   * @throws AUTHENTICATION_FAILED, ACCOUNT_LOCKED, RATE_LIMITED as logging in does.
   */
  async own(actor: UserActor, password: string): Promise<string> {
    const { email } = await this.users.getSelf(actor);
    const { all, lockedS } = await this.look(email);
    const own = all.find(({ tenantId, userId }) => tenantId === actor.tenantId && userId === actor.id);
    if (!own) throw CommonErrors.authenticationFailed();
    const attempt: Attempt = { email, meant: [own], who: actor };
    if (lockedS !== null) throw this.lockOut.refusal(attempt, lockedS);
    if (!(await this.hasher.matches(password, own.passwordHash))) throw await this.lockOut.failed(attempt, 'password');
    await this.lockOut.succeeded(attempt, all.length === 1);
    return own.passwordHash;
  }

  private async look(email: string): Promise<{ all: Account[]; lockedS: number | null }> {
    const [all, lockedS] = await Promise.all([this.users.accountsOf(email), this.lockOut.lockedForS(email)]);
    return { all, lockedS };
  }

  /**
   * Those of the accounts whose password it is. Where it opens none, the answer takes as long for every email: as for the one
   * with the most accounts on this installation, which mostly has one; where the tenant is named, as for one.
   */
  private async tryOn(tried: Account[], password: string, tenantNamed: boolean): Promise<Account[]> {
    const hashes = tried.map((account) => account.passwordHash);
    const comparing = this.hasher.compare(password, hashes);
    const [{ matches, workMs }, most] = await Promise.all([comparing, tenantNamed ? 1 : this.mostAccounts()]);
    const matching = tried.filter((_account, index) => matches[index]);
    const done = Math.max(1, tried.length);
    if (!matching.some((account) => account.open) && most > done) await sleep((workMs / done) * (most - done));
    return matching;
  }

  private async mostAccounts(): Promise<number> {
    const most = await this.cache.wrap('most-accounts-of-an-email', MOST_TTL_MS, () => this.users.mostAccounts());
    return Math.min(most, MAX_TRIED);
  }
}

const isOf = (account: Account, tenant: string): boolean =>
  account.tenantId === tenant.toLowerCase() || account.tenantSlug === tenant;

function reasonOf(meant: Account[], matching: Account[]): FailureReason {
  if (meant.length === 0) return 'unknown';
  return matching.length > 0 ? 'inactive' : 'password';
}
