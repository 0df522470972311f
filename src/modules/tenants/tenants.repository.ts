import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { PageRequest } from '../../common/paging';
import type { PlanName } from '../../common/plans';
import { uniqueViolation } from '../../platform/database/database-error';
import { SystemDatabase } from '../../platform/database/system-database';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { TenantEntity, type TenantStatus } from './tenant.entity';
import { TenantErrors } from './tenants.errors';

/** What a new tenant begins with; the rest are the table's defaults. */
export type NewTenant = Pick<TenantEntity, 'id' | 'slug' | 'name' | 'plan'> &
  Partial<Pick<TenantEntity, 'quotas' | 'settings'>>;

/** Which tenants are wanted; what is undefined does not matter. */
export interface TenantFilter {
  status?: TenantStatus;
  plan?: PlanName;
  /** Part of the name or slug, whatever its case. */
  q?: string;
}

const SLUG_KEY = 'tenants_slug_key';

const MISSING = `
  select g.id from unnest($2::uuid[]) g(id)
  where not exists (select from templates t where t.tenant_id = $1 and t.id = g.id)
  union all
  select g.id from unnest($3::uuid[]) g(id)
  where not exists (select from sessions s where s.tenant_id = $1 and s.id = g.id and s.desired <> 'deleted')`;

/** The queries on `tenants`. A tenant that is being deleted is found by none of them but by its slug, which it still holds. */
@Injectable()
export class TenantsRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly system: SystemDatabase,
  ) {}

  /** Null when there is no such tenant. */
  findById(tenantId: string): Promise<TenantEntity | null> {
    return this.db.repository(tenantId, TenantEntity, (repository) => repository.findOneBy(present(tenantId)));
  }

  /** The same, held for this transaction, which must be that tenant's; its rows elsewhere can be written meanwhile. */
  lockById(tx: TenantTransaction, tenantId: string): Promise<TenantEntity | null> {
    const lock = { mode: 'for_no_key_update' } as const;
    return tx.repository(TenantEntity).findOne({ where: present(tenantId), lock });
  }

  /** The id of the tenant with this slug, whoever asks; null when there is none. */
  async findIdBySlug(slug: string): Promise<string | null> {
    const [row] = await this.system.run<{ id: string }>('tenantBySlug', [slug]);
    return row?.id ?? null;
  }

  /** Newest first, one more than asked for. */
  list(filter: TenantFilter, { limit, cursor, offset }: PageRequest): Promise<TenantEntity[]> {
    return this.system.run('tenantsPage', [...valuesOf(filter), cursor ?? null, limit + 1, offset ?? 0]);
  }

  /** How many there are, counted up to the cap. */
  async count(filter: TenantFilter, cap: number): Promise<number> {
    const [row] = await this.system.run<{ count: number }>('tenantsCount', [...valuesOf(filter), cap]);
    return row?.count ?? 0;
  }

  /** Whether the tenant was inserted: false when its slug is taken. The transaction must be the new tenant's. */
  async insert(tx: TenantTransaction, tenant: NewTenant): Promise<boolean> {
    const { id, slug, name, plan, quotas = {}, settings = {} } = tenant;
    const rows = await tx.query(
      `insert into tenants (id, slug, name, plan, quotas, settings) values ($1, $2, $3, $4, $5, $6)
        on conflict (slug) do nothing returning id`,
      [id, slug, name, plan, JSON.stringify(quotas), JSON.stringify(settings)],
    );
    return rows.length === 1;
  }

  /**
   * Writes all that can change of a tenant that is locked.
   * @throws SLUG_TAKEN
   */
  async update(tx: TenantTransaction, tenant: TenantEntity): Promise<TenantEntity> {
    const { id, name, slug, plan, status, quotas, settings } = tenant;
    try {
      const [row] = await tx.query<Pick<TenantEntity, 'version' | 'updatedAt'>>(
        `update tenants set name = $2, slug = $3, plan = $4, status = $5, quotas = $6, settings = $7,
            version = version + 1, updated_at = now()
          where id = $1 returning version, updated_at as "updatedAt"`,
        [id, name, slug, plan, status, JSON.stringify(quotas), JSON.stringify(settings)],
      );
      return { ...tenant, ...row };
    } catch (error) {
      throw uniqueViolation(error) === SLUG_KEY ? TenantErrors.slugTaken() : error;
    }
  }

  /** The time zone as the database spells it, whatever the case that it is asked in; null for one that it does not know. */
  async findTimeZone(tenantId: string, name: string): Promise<string | null> {
    const text = `select name from pg_timezone_names where lower(name) = lower($1) limit 1`;
    const [row] = await this.db.query<{ name: string }>(tenantId, text, [name]);
    return row?.name ?? null;
  }

  /** Which of the templates and sessions the tenant has not, sessions that are deleted included. */
  async missing(tenantId: string, templateIds: string[], sessionIds: string[]): Promise<Set<string>> {
    const rows = await this.db.query<{ id: string }>(tenantId, MISSING, [tenantId, templateIds, sessionIds]);
    return new Set(rows.map(({ id }) => id));
  }
}

const present = (id: string) => ({ id, deletedAt: IsNull() });

const valuesOf = ({ status, plan, q }: TenantFilter) => [status ?? null, plan ?? null, q ?? null];
