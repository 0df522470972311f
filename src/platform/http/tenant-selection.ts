import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { TenantDirectory } from './tenant-directory';

/**
 * The caller as `X-Tenant-ID` (id or slug) wants it. It is optional; where present it must name the caller's own tenant, and
 * another's and none at all are the same answer. A platform administrator selects any tenant with it.
 * @throws TENANT_NOT_FOUND
 */
export async function actorInTenant(request: FastifyRequest, actor: Actor, tenants: TenantDirectory): Promise<Actor> {
  const named = request.headers['x-tenant-id'];
  if (named === undefined) return actor;
  if (typeof named !== 'string') throw CommonErrors.tenantNotFound();
  if (actor.kind === 'platform') return { ...actor, tenantId: await tenants.idOf(named) };
  if (named.toLowerCase() === actor.tenantId) return actor;
  if (named !== (await tenants.slugOf(actor.tenantId))) throw CommonErrors.tenantNotFound();
  return actor;
}
