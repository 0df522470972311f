/** The three roles that the service works as: one tenant at a time, a stated set of tenants, and across tenants. */
export const ROLE_KINDS = ['app', 'batch', 'system'] as const;
export type RoleKind = (typeof ROLE_KINDS)[number];

/** The cluster-wide name of a role. */
export const roleName = (prefix: string, kind: RoleKind): string => `${prefix}_${kind}`;
