import type { RoleKind } from './role-kinds';

export type Work = 'select' | 'insert' | 'update' | 'delete';

/** Tables of the platform itself: they have no tenant, and only the system role sees them. */
export const PLATFORM_TABLES: readonly string[] = [
  'waha_servers',
  'login_failures',
  'tenant_purges',
  'audit_policy',
  'webhook_door',
];

/** Tables of the tenants that even their own role only adds to, reads or purges: the audit trail, the figures and the totals. */
const APP: Record<string, Work[]> = {
  audit_logs: ['select', 'insert'],
  audit_seals: ['select'],
  audit_chains: ['select'],
  audit_pending: ['select'],
  message_stats: ['select', 'delete'],
  message_stats_recent: ['select', 'delete'],
  message_stat_deltas: ['select', 'delete'],
  storage_totals: ['select', 'delete'],
  storage_changes: ['select', 'delete'],
  customer_totals: ['select', 'delete'],
  customer_total_changes: ['select', 'delete'],
};

/**
 * Functions that run with the owner's rights, each with the one role that may call it (null: a trigger, which nobody calls)
 * and its reason. No other function of the schema may run so.
 */
export const OWNER_FUNCTIONS: Record<string, { role: RoleKind | null; reason: string }> = {
  'audit_enqueue()': { role: null, reason: 'Each record of the audit trail waits to be sealed, whoever wrote it.' },
  'message_stats_note()': { role: null, reason: 'Each change of a message is counted, whoever makes it.' },
  'storage_note()': { role: null, reason: 'What a tenant keeps is totalled, whoever stores it or gives it up.' },
  'customer_totals_begin()': { role: null, reason: 'Each customer has a total, whoever makes it.' },
  'customer_totals_note()': { role: null, reason: 'What a customer spent is totalled, whoever changes its orders.' },
  'audit_maintain()': {
    role: 'system',
    reason: 'Months of the audit trail are made and, past their retention, dropped.',
  },
  'tenant_delete(uuid,text[])': {
    role: 'system',
    reason: 'The platform deletes a tenant, in the statement that notes its purge.',
  },
  'message_doubted_at(uuid,uuid,smallint)': {
    role: 'system',
    reason: 'Settlement must know since when an outcome is unknown; it reads nothing else of the history.',
  },
  'audit_forget_seals()': { role: 'system', reason: 'Seals go that no chain begins before any more.' },
  'audit_imports_of(text,text)': {
    role: 'app',
    reason: 'Row security keeps JSON from the index: it says which imports of the tenant in scope wrote a row.',
  },
  'customers_like(text,integer)': {
    role: 'app',
    reason: 'Row security keeps ILIKE from the index: it gives some ids of customers of the tenant in scope.',
  },
  'customers_tagged(text,integer)': {
    role: 'app',
    reason: 'Row security keeps arrays from the index: it gives some ids of customers of the tenant in scope.',
  },
  'products_with(text,integer)': {
    role: 'app',
    reason: 'Row security keeps ILIKE from the index: it looks among the rows of the tenant in scope for one word.',
  },
  'products_with(text,text,integer)': { role: 'app', reason: 'The same for two words.' },
  'products_with(text,text,text,integer)': { role: 'app', reason: 'The same for three words.' },
  'products_like(text[],integer)': {
    role: 'app',
    reason: 'The same for the version before, while that runs beside this.',
  },
  'products_like(text)': { role: 'app', reason: 'The same for the version before that.' },
  'audit_erase(uuid,uuid)': {
    role: 'system',
    reason: 'What is personal in the records of a deleted tenant is erased.',
  },
};

/** What a role that crosses tenants may do, table by table; what is not here it may not do. */
const BATCH: Record<string, Work[]> = {
  messages: ['select', 'insert'],
  message_media: ['insert'],
  // To lock the file that a message shows it needs the right to update; nothing does.
  files: ['select', 'update'],
  chats: ['select'],
  chat_aliases: ['select'],
  lanes: ['select', 'update'],
  sessions: ['select'],
  webhook_events: ['select', 'insert'],
  audit_logs: ['insert'],
  tenants: ['select'],
  tenant_usage: ['select', 'insert', 'update'],
};

const SYSTEM: Record<string, Work[]> = {
  tenants: ['select'],
  users: ['select'],
  logins: ['select', 'delete'],
  idempotency_keys: ['select', 'delete'],
  product_requests: ['select', 'delete'],
  waha_servers: ['select', 'insert', 'update', 'delete'],
  sessions: ['select', 'update'],
  lanes: ['select', 'update'],
  messages: ['select', 'update'],
  campaigns: ['select', 'update'],
  campaign_sessions: ['select', 'update'],
  message_events: ['insert'],
  message_media: ['select', 'update'],
  files: ['select', 'insert'],
  object_removals: ['select', 'update', 'delete'],
  storage_totals: ['select'],
  storage_changes: ['select', 'insert'],
  message_stat_deltas: ['select', 'delete'],
  message_stats_recent: ['select', 'insert', 'update', 'delete'],
  message_stats: ['select', 'insert', 'update'],
  chats: ['select', 'insert', 'update'],
  imports: ['select', 'update', 'delete'],
  import_errors: ['select', 'delete'],
  webhook_events: ['select', 'delete'],
  api_keys: ['select', 'update'],
  tenant_usage: ['select', 'delete'],
  login_failures: ['select', 'insert', 'update', 'delete'],
  tenant_purges: ['select', 'insert', 'update'],
  audit_logs: ['select', 'insert'],
  audit_pending: ['select', 'delete'],
  audit_seals: ['select', 'insert'],
  audit_chains: ['select', 'insert', 'update'],
  audit_policy: ['select'],
  webhook_door: ['select', 'update'],
};

/** The grants of each role. The role of one tenant works on that tenant's rows of every tenant table. */
export const GRANTS: Record<RoleKind, (table: string) => Work[]> = {
  app: (table) => (PLATFORM_TABLES.includes(table) ? [] : (APP[table] ?? ['select', 'insert', 'update', 'delete'])),
  batch: (table) => BATCH[table] ?? [],
  system: (table) => SYSTEM[table] ?? [],
};
