import type { Limits } from '../../common/plans';
import type { Soon } from '../../common/soon';

/** Knows tenants by id and slug. The tenants feature provides it, cached: it is asked on requests. */
export abstract class TenantDirectory {
  /** The slug of the tenant. @throws TENANT_NOT_FOUND when there is none */
  abstract slugOf(tenantId: string): Promise<string>;

  /** The id of the tenant that is named by id or slug. @throws TENANT_NOT_FOUND when there is none */
  abstract idOf(idOrSlug: string): Promise<string>;

  /** What the plan and the quotas of the tenant allow; up to 5 s old. @throws TENANT_NOT_FOUND when there is none */
  abstract limitsOf(tenantId: string): Soon<Limits>;

  /** The time zone (IANA name) that the tenant's days are of, UTC unless it has set one; up to 5 s old. @throws TENANT_NOT_FOUND */
  abstract timeZoneOf(tenantId: string): Promise<string>;

  /**
   * Whether there is such a tenant, and it is not suspended: for what is shown without a credential. A change made by another
   * process may be unseen for up to 5 s where Redis is away.
   */
  abstract isActive(tenantId: string): Promise<boolean>;
}
