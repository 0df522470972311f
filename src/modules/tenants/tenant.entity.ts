import { Column, Entity, PrimaryColumn } from 'typeorm';

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
  plan: string;

  @Column('text')
  status: TenantStatus;
}
