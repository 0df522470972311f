import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { TenantEntity } from './tenant.entity';

/** What a new tenant begins with; the rest are the table's defaults. */
export type NewTenant = Pick<TenantEntity, 'id' | 'slug' | 'name'>;

/** The queries on `tenants`. */
@Injectable()
export class TenantsRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly system: SystemDatabase,
  ) {}

  /** Null when there is no such tenant. */
  findById(tenantId: string): Promise<TenantEntity | null> {
    return this.db.repository(tenantId, TenantEntity, (repository) => repository.findOneBy({ id: tenantId }));
  }

  /** The id of the tenant with this slug, whoever asks; null when there is none. */
  async findIdBySlug(slug: string): Promise<string | null> {
    const [row] = await this.system.run<{ id: string }>('tenantBySlug', [slug]);
    return row?.id ?? null;
  }

  /** Whether the tenant was inserted: false when its slug is taken. The transaction must be the new tenant's. */
  async insert(tx: TenantTransaction, { id, slug, name }: NewTenant): Promise<boolean> {
    const rows = await tx.query(
      `insert into tenants (id, slug, name) values ($1, $2, $3) on conflict (slug) do nothing returning id`,
      [id, slug, name],
    );
    return rows.length === 1;
  }
}
