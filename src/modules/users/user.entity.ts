import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantRole } from '../../common/permissions';

/** Inactive users cannot log in, and what logins they have hold no longer. */
export const USER_STATUSES = ['active', 'inactive'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

/** A person who works in one tenant, with one role. */
@Entity('users')
export class UserEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid' })
  tenantId: string;

  @PrimaryColumn('uuid')
  id: string;

  /** Lower-case, unique in the tenant. */
  @Column('text')
  email: string;

  @Column('text')
  name: string;

  @Column('text')
  role: TenantRole;

  @Column('text')
  status: UserStatus;

  /** Of bcrypt. Never read through the entity: logging in has its own statement. */
  @Column({ name: 'password_hash', type: 'text', select: false })
  passwordHash: string;

  /** Grows with each change. */
  @Column('integer')
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
