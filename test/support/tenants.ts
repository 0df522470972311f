import type { FoundedTenantResponse } from '../../src/modules/auth/dto/founded-tenant.response';
import type { HttpClient } from './http-client';
import type { TestApp } from './running-app';

/** Of every first administrator whose terms say nothing else. */
export const OWNER_PASSWORD = 'a long way to Tipperary';

let made = 0;

/** A body of POST /tenants that nobody used before. */
export function tenantTerms(more: object = {}) {
  made += 1;
  const admin = { email: `owner${made}@acme.example`, password: OWNER_PASSWORD, name: 'Olive Owner' };
  return { name: `Acme ${made}`, slug: `acme-${made}`, admin, ...more };
}

/** Founds a tenant as the platform; fails unless that works. */
export async function foundTenant(platform: HttpClient, more: object = {}): Promise<FoundedTenantResponse> {
  const answer = await platform.post<FoundedTenantResponse>('/tenants', tenantTerms(more));
  if (answer.status !== 201) throw new Error(`Founding a tenant gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

/** A tenant as its list and its page show it: without its first administrator. */
export function asListed({ admin, ...tenant }: FoundedTenantResponse): Omit<FoundedTenantResponse, 'admin'> {
  if (!admin) throw new Error('The tenant came without an administrator');
  return tenant;
}

/** The first administrator of a tenant, logged in. */
export async function ownerOf(app: TestApp, { email, tenant }: { email: string; tenant: string }): Promise<HttpClient> {
  const attempt = { email, password: OWNER_PASSWORD, tenant };
  const answer = await app.anybody.post<{ access_token: string }>('/auth/login', attempt);
  if (answer.status !== 200) throw new Error(`Logging in gave ${answer.outcome}`);
  return app.anybody.with({ authorization: `Bearer ${answer.body.access_token}` });
}
