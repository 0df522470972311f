const PLATFORM_READS = 'The platform administrator sees the tenants of the installation, one beside the other.';

// $1 status, $2 plan, $3 part of name or slug; null where it does not matter.
const WANTED = `deleted_at is null and ($1::text is null or status = $1) and ($2::text is null or plan = $2)
      and ($3::text is null or position(lower($3) in lower(name)) > 0 or position(lower($3) in slug) > 0)`;

/** Statements on tenants that cross them. */
export const TENANT_STATEMENTS = {
  tenantBySlug: {
    reason: 'A tenant is named by its slug before anybody is logged in.',
    text: `select id, slug, name, status from tenants where slug = $1`,
  },
  tenantsPage: {
    reason: PLATFORM_READS,
    text: `select id, slug, name, plan, quotas, settings, version, deleted_at as "deletedAt", created_at as "createdAt",
        updated_at as "updatedAt", status
      from tenants where ${WANTED} and ($4::uuid is null or id < $4) order by id desc limit $5 offset $6`,
  },
  tenantsCount: {
    reason: PLATFORM_READS,
    text: `select count(*)::int as count from (select from tenants where ${WANTED} limit $4) t`,
  },
} as const;
