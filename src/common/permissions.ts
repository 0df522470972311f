/** Who may be calling. A user has exactly one. */
export const ROLES = ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR', 'PLATFORM_ADMIN'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that a user inside a tenant can have. */
export const TENANT_ROLES = ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'] as const satisfies readonly Role[];
export type TenantRole = (typeof TENANT_ROLES)[number];

/**
 * The role table: which role holds which permission. Guard, documentation and tests all read this one table. A permission
 * that no role holds refuses everybody; whose object it is, is the policy's question, asked after the permission.
 */
export const PERMISSIONS = {
  'profile:read': ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'],
  'login:end': ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'],
  'sessions:read': ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'],
  'sessions:pair': ['TENANT_ADMIN', 'MANAGER'],
  'sessions:manage': ['TENANT_ADMIN'],
  'messages:read': ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'],
  'messages:send': ['TENANT_ADMIN', 'MANAGER'],
  'health:details': ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/** The permissions that a role holds, in the order of the table. */
export function permissionsOf(role: Role): Permission[] {
  return (Object.keys(PERMISSIONS) as Permission[]).filter((permission) => roleMay(role, permission));
}

/** Whether the role holds the permission. */
export function roleMay(role: Role, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly Role[]).includes(role);
}
