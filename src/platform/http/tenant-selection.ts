import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { TenantDirectory } from './tenant-directory';

/**
 * Checks `X-Tenant-ID` (id or slug), which is optional and where present must name the caller's own tenant. Another's and none
 * at all are the same answer.
 * @throws TENANT_NOT_FOUND
 */
export async function assertOwnTenant(request: FastifyRequest, actor: Actor, tenants: TenantDirectory): Promise<void> {
  const named = request.headers['x-tenant-id'];
  if (named === undefined) return;
  if (typeof named !== 'string') throw CommonErrors.tenantNotFound();
  if (named.toLowerCase() === actor.tenantId) return;
  if (named !== (await tenants.slugOf(actor.tenantId))) throw CommonErrors.tenantNotFound();
}
