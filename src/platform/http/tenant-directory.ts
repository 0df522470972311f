/** Knows tenants by their slugs. The tenants feature provides it, cached: it is asked on requests that name a tenant. */
export abstract class TenantDirectory {
  /** The slug of the tenant. @throws TENANT_NOT_FOUND when there is none */
  abstract slugOf(tenantId: string): Promise<string>;
}
