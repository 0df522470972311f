import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { Soon } from '../../common/soon';
import type { TenantDirectory } from './tenant-directory';

/**
 * The caller as `X-Tenant-ID` (id or slug) wants it. It is optional; where present it must name the caller's own tenant, and
 * another's and none at all are the same answer. A platform administrator selects any tenant with it.
 * @throws TENANT_NOT_FOUND
 */
export function actorInTenant(request: FastifyRequest, actor: Actor, tenants: TenantDirectory): Soon<Actor> {
  const named = request.headers['x-tenant-id'];
  return named === undefined ? actor : select(named, actor, tenants);
}

async function select(named: string | string[], actor: Actor, tenants: TenantDirectory): Promise<Actor> {
  if (typeof named !== 'string') throw CommonErrors.tenantNotFound();
  if (actor.kind === 'platform') return { ...actor, tenantId: await tenants.idOf(named) };
  if (named.toLowerCase() === actor.tenantId) return actor;
  if (named !== (await tenants.slugOf(actor.tenantId))) throw CommonErrors.tenantNotFound();
  return actor;
}
