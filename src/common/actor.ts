import type { TenantRole } from './permissions';

/**
 * Who is calling: the first argument of every service method. The tenant always comes from here, never from a body or a
 * query. There is no actor without a tenant: what no tenant asked for (webhooks, workers) carries its tenant explicitly.
 */
export interface Actor {
  kind: 'user';
  /** The user's id. */
  id: string;
  tenantId: string;
  role: TenantRole;
  /** The login (family of refresh tokens) that the access token belongs to. */
  loginId: string;
}
