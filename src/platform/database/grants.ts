import type { RoleKind } from './role-kinds';

export type Work = 'select' | 'insert' | 'update' | 'delete';

/** Tables of the platform itself: they have no tenant, and only the system role sees them. */
export const PLATFORM_TABLES: readonly string[] = ['waha_servers'];

/** What a role that crosses tenants may do, table by table; what is not here it may not do. */
const BATCH: Record<string, Work[]> = {
  messages: ['select', 'insert'],
  lanes: ['select', 'update'],
  sessions: ['select'],
  webhook_events: ['select', 'insert'],
};

const SYSTEM: Record<string, Work[]> = {
  tenants: ['select'],
  users: ['select'],
  logins: ['select', 'delete'],
  idempotency_keys: ['select', 'delete'],
  waha_servers: ['select', 'insert', 'update'],
  sessions: ['select', 'update'],
  lanes: ['select', 'update'],
  messages: ['select', 'update'],
  message_events: ['insert'],
  webhook_events: ['select', 'delete'],
};

/** The grants of each role. The role of one tenant works on that tenant's rows of every tenant table. */
export const GRANTS: Record<RoleKind, (table: string) => Work[]> = {
  app: (table) => (PLATFORM_TABLES.includes(table) ? [] : ['select', 'insert', 'update', 'delete']),
  batch: (table) => BATCH[table] ?? [],
  system: (table) => SYSTEM[table] ?? [],
};
