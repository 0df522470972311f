/** A statement that crosses tenants: why it must, and its text. */
interface SystemStatementText {
  reason: string;
  text: string;
}

/**
 * Everything that runs across tenants, in one list: the role `system` runs these texts and no others. A new entry needs a
 * reason that says why no tenant is known yet, or why the work belongs to all of them.
 */
export const SYSTEM_STATEMENTS = {
  loginsByEmail: {
    reason: 'Somebody logs in with an email and a password: which tenant it is, is the question.',
    text: `select u.tenant_id, u.id, u.email, u.name, u.role, u.status, u.password_hash, t.slug as tenant_slug,
        t.name as tenant_name, t.status as tenant_status
      from users u join tenants t on t.id = u.tenant_id where u.email = $1 order by u.tenant_id`,
  },
  tenantBySlug: {
    reason: 'A tenant is named by its slug before anybody is logged in.',
    text: `select id, slug, name, status from tenants where slug = $1`,
  },
  createTenant: {
    reason: 'A tenant that does not exist yet cannot be its own actor.',
    text: `insert into tenants (id, slug, name, plan) values ($1, $2, $3, $4) on conflict (slug) do nothing returning id`,
  },
} as const satisfies Record<string, SystemStatementText>;

export type SystemStatement = keyof typeof SYSTEM_STATEMENTS;
