import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorMay, PLATFORM_TENANT_ID } from '../../common/actor';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { type Permission, TENANTLESS_PERMISSIONS } from '../../common/permissions';
import { accessRuleOf } from './access-rule';
import { Authenticator } from './authenticator';
import { assertDeclaredInput } from './declared-input';
import { RequestLimits } from './request-limits';
import { TenantDirectory } from './tenant-directory';
import { actorInTenant } from './tenant-selection';

/**
 * The one global guard: who is calling, how often, whether they may, and with nothing that the handler does not ask for; one pipeline, so that the order is fixed and each request
 * pays for one guard. What nobody marked, nobody may call.
 */
@Injectable()
export class ApiGuard implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly limits: RequestLimits,
    private readonly tenants: TenantDirectory,
  ) {}

  /** @throws AUTHENTICATION_FAILED, RATE_LIMITED, QUOTA_EXCEEDED, TENANT_NOT_FOUND, FORBIDDEN, VALIDATION_FAILED */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = accessRuleOf(context.getHandler());
    if (!rule) throw CommonErrors.forbidden();
    const { access } = rule;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = access.kind === 'public' ? null : await this.identify(context, request);
    request.context.actor = caller ?? undefined; // what is refused from here on is the caller's
    await this.limits.count(context, rule, caller);
    if (caller && rule.limit.kind !== 'none') await this.countKnown(context, caller);
    const actor = caller && (await this.select(request, caller));
    if (access.kind === 'permission') this.admit(actor, access.permission);
    assertDeclaredInput(request, rule.input);
    return true;
  }

  /** The platform belongs to no plan, and administers it. */
  private async countKnown(context: ExecutionContext, actor: Actor): Promise<void> {
    if (actor.kind === 'platform') return;
    const { requests_per_minute: perMinute } = await this.tenants.limitsOf(actor.tenantId);
    if (perMinute !== null || actor.requestsPerMinute !== null) await this.limits.countKnown(context, actor, perMinute);
  }

  private admit(actor: Actor | null, permission: Permission): void {
    if (!actor) throw CommonErrors.authenticationFailed();
    if (!actorMay(actor, permission)) throw CommonErrors.forbidden();
    if (actor.tenantId === PLATFORM_TENANT_ID && !TENANTLESS_PERMISSIONS.includes(permission))
      throw CommonErrors.tenantNotSelected();
  }

  /** The caller in the tenant that the request is about; the context knows it from here on. */
  private async select(request: FastifyRequest, caller: Actor): Promise<Actor> {
    const actor = await actorInTenant(request, caller, this.tenants);
    request.context.actor = actor;
    return actor;
  }

  /** A wrong credential counts against its address: guessing is as limited as asking without one. */
  private async identify(context: ExecutionContext, request: FastifyRequest): Promise<Actor | null> {
    try {
      return await this.authenticator.authenticate(request);
    } catch (error) {
      const refused = error instanceof AppError && error.code === 'AUTHENTICATION_FAILED';
      if (refused) await this.limits.countAddress(context);
      throw error;
    }
  }
}
