import { Injectable } from '@nestjs/common';
import type { TenantRole } from '../../common/permissions';
import { SystemDatabase } from '../../platform/database/system-database';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { UserEntity, type UserStatus } from './user.entity';

/** What a new user begins with; the rest are the table's defaults. */
export type NewUser = Pick<UserEntity, 'id' | 'email' | 'name' | 'role' | 'passwordHash'>;

/** A user as the question "who logs in with this email?" finds it, in whatever tenant. */
export interface Account {
  tenantId: string;
  tenantSlug: string;
  userId: string;
  role: TenantRole;
  passwordHash: string;
  userStatus: UserStatus;
  /** The user and its tenant are both active. */
  open: boolean;
}

interface AccountRow {
  tenant_id: string;
  tenant_slug: string;
  tenant_status: string;
  id: string;
  role: TenantRole;
  status: UserStatus;
  password_hash: string;
}

/** The queries on `users`. */
@Injectable()
export class UsersRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly system: SystemDatabase,
  ) {}

  /** Null when the tenant has no such user. */
  findById(tenantId: string, id: string): Promise<UserEntity | null> {
    return this.db.repository(tenantId, UserEntity, (repository) => repository.findOneBy({ tenantId, id }));
  }

  /** The emails of these that the tenant has already. */
  async findEmails(tenantId: string, emails: string[]): Promise<string[]> {
    const text = `select email from users where tenant_id = $1 and email = any ($2::text[])`;
    const rows = await this.db.query<{ email: string }>(tenantId, text, [tenantId, emails]);
    return rows.map((row) => row.email);
  }

  /** The accounts with this email in all tenants, ordered by tenant. */
  async findAccounts(email: string): Promise<Account[]> {
    const rows = await this.system.run<AccountRow>('loginsByEmail', [email]);
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      tenantSlug: row.tenant_slug,
      userId: row.id,
      role: row.role,
      passwordHash: row.password_hash,
      userStatus: row.status,
      open: row.status === 'active' && row.tenant_status === 'active',
    }));
  }

  /** Holds the email for this transaction, in the whole installation: whoever else claims it waits until the commit. */
  async lockEmail(tx: TenantTransaction, email: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('email:' || $1::text, 0))`, [email]);
  }

  /** When the user was made; null when the tenant has a user of that email already. */
  async insert(tx: TenantTransaction, tenantId: string, user: NewUser): Promise<Date | null> {
    const [row] = await tx.query<{ created_at: Date }>(
      `insert into users (tenant_id, id, email, name, role, password_hash) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant_id, email) do nothing returning created_at`,
      [tenantId, user.id, user.email, user.name, user.role, user.passwordHash],
    );
    return row?.created_at ?? null;
  }

  /** The most accounts that one email has: reads the whole index of emails. */
  async mostAccounts(): Promise<number> {
    const [row] = await this.system.run<{ most: number | null }>('mostAccountsOfAnEmail');
    return row?.most ?? 0;
  }

  /** Replaces the password's hash; false when it is another by now, or the user is not active. */
  async changePassword(
    tx: TenantTransaction,
    { tenantId, id }: { tenantId: string; id: string },
    { from, to }: { from: string; to: string },
  ): Promise<boolean> {
    const rows = await tx.query(
      `update users set password_hash = $4, version = version + 1, updated_at = now()
       where tenant_id = $1 and id = $2 and password_hash = $3 and status = 'active' returning id`,
      [tenantId, id, from, to],
    );
    return rows.length === 1;
  }
}
