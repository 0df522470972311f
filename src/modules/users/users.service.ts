import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { SystemDatabase } from '../../platform/database/system-database';
import type { TenantDatabase, TenantTransaction } from '../../platform/database/tenant-database';
import type { UserEntity } from './user.entity';
import { UserErrors } from './users.errors';
import { type Account, type NewUser, UsersRepository } from './users.repository';

export type { Account, UserEntity };

/** The people who work in the tenants. */
@Injectable()
export class UsersService {
  constructor(private readonly users: UsersRepository) {}

  /** The service without Nest, for seeding. */
  static over(db: TenantDatabase, system: SystemDatabase): UsersService {
    return new UsersService(new UsersRepository(db, system));
  }

  /**
   * The user who is calling.
   * @throws AUTHENTICATION_FAILED when it was removed while the request was on its way, or elsewhere a moment ago.
   */
  async getSelf(actor: Actor): Promise<UserEntity> {
    const user = await this.users.findById(actor.tenantId, actor.id);
    if (!user) throw CommonErrors.authenticationFailed();
    return user;
  }

  /** @throws NOT_FOUND */
  async getById(tenantId: string, id: string): Promise<UserEntity> {
    const user = await this.users.findById(tenantId, id);
    if (!user) throw CommonErrors.notFound('user');
    return user;
  }

  /** The accounts with this email in all tenants, for logging in; ordered by tenant. */
  accountsOf(email: string): Promise<Account[]> {
    return this.users.findAccounts(email);
  }

  /**
   * Refuses an email that an active user has, in whatever tenant.
   * @throws EMAIL_TAKEN
   */
  async requireFreeEmail(email: string): Promise<void> {
    const accounts = await this.users.findAccounts(email);
    if (accounts.some((account) => account.userStatus === 'active')) throw UserErrors.emailTaken();
  }

  /**
   * The same, and the email stays free for this transaction: of two at once the second waits and then finds it taken.
   * @throws EMAIL_TAKEN
   */
  async claimEmail(tx: TenantTransaction, email: string): Promise<void> {
    await this.users.lockEmail(tx, email);
    await this.requireFreeEmail(email);
  }

  /** The emails of these that the tenant has a user of. */
  emailsOf(tenantId: string, emails: string[]): Promise<string[]> {
    return this.users.findEmails(tenantId, emails);
  }

  /**
   * Adds a user to the tenant of the transaction and tells when that was.
   * @throws EMAIL_TAKEN when the tenant has a user of that email.
   */
  async create(tx: TenantTransaction, tenantId: string, user: NewUser): Promise<Date> {
    const createdAt = await this.createUnlessThere(tx, tenantId, user);
    if (!createdAt) throw UserErrors.emailTaken();
    return createdAt;
  }

  /** The same, but null when the tenant has a user of that email, which stays as it is. */
  createUnlessThere(tx: TenantTransaction, tenantId: string, user: NewUser): Promise<Date | null> {
    return this.users.insert(tx, tenantId, user);
  }

  /** The most accounts that one email has, in all tenants together. */
  mostAccounts(): Promise<number> {
    return this.users.mostAccounts();
  }

  /** Replaces the hash of the actor's password; false when the actor is not active, or has another password by now. */
  changePassword(tx: TenantTransaction, actor: Actor, hashes: { from: string; to: string }): Promise<boolean> {
    return this.users.changePassword(tx, actor, hashes);
  }
}
