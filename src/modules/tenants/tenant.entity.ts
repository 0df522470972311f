import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Limits, PlanName } from '../../common/plans';
import type { StoredSettings } from './tenant-settings';

/** Active tenants work; the logins of a suspended one hold no longer. */
export type TenantStatus = 'active' | 'suspended';

/** A business: everything that carries `tenant_id` is one tenant's. */
@Entity('tenants')
export class TenantEntity {
  @PrimaryColumn('uuid')
  id: string;

  /** Its readable name in addresses and headers: lower-case letters, digits and hyphens, unique in the installation. */
  @Column('text')
  slug: string;

  @Column('text')
  name: string;

  @Column('text')
  plan: PlanName;

  /** What overrides the plan's bounds. */
  @Column('jsonb')
  quotas: Partial<Limits>;

  /** What the tenant's own administrators set: see the tenant's settings. */
  @Column('jsonb')
  settings: StoredSettings;

  /** Grows with each change. */
  @Column('integer')
  version: number;

  /** When its deletion began; null for a tenant that stays. */
  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;

  @Column('text')
  status: TenantStatus;
}
