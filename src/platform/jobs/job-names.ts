/**
 * Every kind of background job and what its payload holds. Names are stored in the database: never reuse one for another
 * meaning; a payload that changes shape gets a new `version`.
 */
export interface JobPayloads {
  'purge-expired': { version: 1 };
  'audit-maintain': { version: 1 };
  'purge-tenant': { version: 1; tenantId: string };
  'resume-purges': { version: 1 };
  'check-storage': { version: 1 };
}

export type JobName = keyof JobPayloads;

/** The names, for registering and sending. */
export const JOBS = {
  purgeExpired: 'purge-expired',
  auditMaintain: 'audit-maintain',
  purgeTenant: 'purge-tenant',
  resumePurges: 'resume-purges',
  checkStorage: 'check-storage',
} as const satisfies Record<string, JobName>;
