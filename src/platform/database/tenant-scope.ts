import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string>();

/** Runs the work with its tenant (or comma-joined tenants) in scope: the driver sets it with each statement. */
export const inTenantScope = <T>(tenants: string, work: () => Promise<T>): Promise<T> => scope.run(tenants, work);

/** The tenant in scope, for the driver; undefined outside, where row security shows nothing. */
export const tenantInScope = (): string | undefined => scope.getStore();
