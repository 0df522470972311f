/** Who may be calling. A user has exactly one. */
export const ROLES = ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR', 'PLATFORM_ADMIN'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that a user or an API key inside a tenant can have. */
export const TENANT_ROLES = ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR'] as const satisfies readonly Role[];
export type TenantRole = (typeof TENANT_ROLES)[number];

// Inside a tenant that it has selected, the platform administrator may what the tenant's own administrator may.
const ADMIN = ['TENANT_ADMIN', 'PLATFORM_ADMIN'] as const;
const MANAGERS = ['TENANT_ADMIN', 'MANAGER', 'PLATFORM_ADMIN'] as const;
const READERS = ['TENANT_ADMIN', 'MANAGER', 'AUDITOR', 'PLATFORM_ADMIN'] as const;
const AUDITORS = ['TENANT_ADMIN', 'AUDITOR', 'PLATFORM_ADMIN'] as const;
const EVERYBODY = ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR', 'PLATFORM_ADMIN'] as const;
const SELLERS = ['TENANT_ADMIN', 'MANAGER', 'AGENT', 'PLATFORM_ADMIN'] as const;
const USERS = TENANT_ROLES;

/**
 * The role table: which role holds which permission. Guard, documentation (docs/ROLES.md) and tests all read this one table.
 * A permission that no role holds refuses everybody; whose object it is, is the policy's question, asked after the permission.
 */
export const PERMISSIONS = {
  'profile:read': EVERYBODY,
  'profile:own': USERS,
  'login:end': USERS,
  'password:change': USERS,
  introspect: ADMIN,
  'users:read': READERS,
  'users:manage': ADMIN,
  'tenant:read': ADMIN,
  'tenant:manage': ADMIN,
  'api-keys:manage': ADMIN,
  'sessions:read': EVERYBODY,
  'sessions:pair': MANAGERS,
  'sessions:manage': ADMIN,
  'messages:read': EVERYBODY,
  'messages:send': MANAGERS,
  'templates:read': EVERYBODY,
  'templates:manage': MANAGERS,
  'campaigns:read': READERS,
  'campaigns:manage': MANAGERS,
  'products:read': EVERYBODY,
  'products:manage': MANAGERS,
  'customers:read': EVERYBODY,
  'customers:manage': MANAGERS,
  'orders:read': EVERYBODY,
  'orders:create': SELLERS,
  'orders:manage': MANAGERS,
  'imports:read': READERS,
  'files:read': EVERYBODY,
  'files:write': SELLERS,
  'gateway:manage': ADMIN,
  'webhooks:manage': ADMIN,
  'gateway:health': READERS,
  'audit:read': EVERYBODY,
  'audit:verify': AUDITORS,
  'health:details': EVERYBODY,
  'tenants:manage': ['PLATFORM_ADMIN'],
  'servers:manage': ['PLATFORM_ADMIN'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/** What only a person holds, for itself: no API key can be given them. */
export const PERSONAL_PERMISSIONS: readonly Permission[] = ['profile:own', 'login:end', 'password:change'];

/** What the platform administrator may without selecting a tenant; everything else needs one. */
export const TENANTLESS_PERMISSIONS: readonly Permission[] = [
  'tenants:manage',
  'servers:manage',
  'profile:read',
  'audit:read',
  'audit:verify',
  'health:details',
];

/** What an API key can be given as a scope: all that some role inside a tenant holds and that is no person's own. */
export const SCOPES: readonly Permission[] = (Object.keys(PERMISSIONS) as Permission[]).filter(
  (permission) => !PERSONAL_PERMISSIONS.includes(permission) && TENANT_ROLES.some((role) => roleMay(role, permission)),
);

/** The permissions that a role holds, in the order of the table; of null all there are. */
export function permissionsOf(role: Role | null): Permission[] {
  const all = Object.keys(PERMISSIONS) as Permission[];
  return role === null ? all : all.filter((permission) => roleMay(role, permission));
}

/** Whether the role holds the permission. */
export function roleMay(role: Role, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly Role[]).includes(role);
}
