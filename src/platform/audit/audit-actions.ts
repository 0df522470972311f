/** Everything that the audit trail records, in one closed list: what it is, and the role that the record plays. */
export const AUDIT_ACTIONS = {
  LOGIN: 'A user logged in',
  LOGIN_FAILED: 'A login was refused: unknown email, wrong password, or inactive',
  ACCOUNT_LOCKED: 'An account was locked after too many failed logins',
  REFRESH_REUSE: 'A refresh token was used a second time: its login was ended',
  LOGOUT: 'A login ended, or all of a user',
  LOGIN_REVOKED: 'A user ended one of its other logins',
  PASSWORD_CHANGED: 'A user changed its password',
  TOKEN_ISSUED: 'A service account or a developer got an access token',
  ACCESS_DENIED: 'A request was refused: 401, 403, or a 404 of what the caller may not see',
  PLATFORM_ACCESS: 'The platform administrator acted inside the tenant',
  USER_CREATED: 'A user was made',
  USER_UPDATED: 'A user was changed',
  USER_DELETED: 'A user was deleted',
  TENANT_CREATED: 'A tenant was founded',
  TENANT_UPDATED: 'A tenant was changed',
  TENANT_DELETED: 'A tenant was suspended for good, and its purge began',
  TENANT_PURGED: 'All of a deleted tenant is gone',
  API_KEY_CREATED: 'An API key was made',
  API_KEY_UPDATED: 'An API key was changed',
  API_KEY_ROTATED: 'An API key got a new secret',
  API_KEY_REVOKED: 'An API key was revoked',
  SESSION_CREATED: 'A WhatsApp session was made',
  SESSION_UPDATED:
    'A WhatsApp session was edited, started, stopped, restarted, paired by code, logged out or moved to another server',
  SESSION_DELETED: 'A WhatsApp session was deleted',
  SERVER_CREATED: 'A WAHA server was registered',
  SERVER_UPDATED: 'A WAHA server was edited, drained or put back into use',
  SERVER_DELETED: 'A WAHA server was taken out of the pool',
  TEMPLATE_CREATED: 'A template was made',
  TEMPLATE_UPDATED: 'A template was changed',
  TEMPLATE_DELETED: 'A template was deleted',
  FILE_UPLOAD: 'A file was stored',
  FILE_DOWNLOAD: 'A file was read, by a user, a key or whoever had a link to it',
  FILE_UPDATED: 'A file was renamed',
  FILE_DELETED: 'A file was deleted',
  FILE_LINKED: 'A link to a file was made, which needs no credential',
  CAMPAIGN_CREATED: 'A campaign was accepted',
  CAMPAIGN_UPDATED: 'A campaign was paused, resumed or cancelled',
  WEBHOOK_EVENT_REPLAYED: 'An event of WAHA that failed or was ignored is applied again',
  AUDIT_EXPORTED: 'The audit trail was exported',
} as const;

export type AuditAction = keyof typeof AUDIT_ACTIONS;

/** The names, in the order of the list. */
export const AUDIT_ACTION_NAMES = Object.keys(AUDIT_ACTIONS) as AuditAction[];
