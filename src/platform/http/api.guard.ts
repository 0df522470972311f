import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { type Permission, roleMay } from '../../common/permissions';
import { accessRuleOf } from './access-rule';
import { Authenticator } from './authenticator';
import { assertDeclaredInput } from './declared-input';
import { RequestLimits } from './request-limits';
import { TenantDirectory } from './tenant-directory';
import { assertOwnTenant } from './tenant-selection';

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

  /** @throws AUTHENTICATION_FAILED, RATE_LIMITED, TENANT_NOT_FOUND, FORBIDDEN, VALIDATION_FAILED */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = accessRuleOf(context.getHandler());
    if (!rule) throw CommonErrors.forbidden();
    const { access } = rule;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const actor = access.kind === 'public' ? null : await this.identify(context, request);
    await this.limits.count(context, rule, actor);
    if (access.kind === 'permission') await this.admit(request, actor, access.permission);
    assertDeclaredInput(request, rule.input);
    return true;
  }

  private async admit(request: FastifyRequest, actor: Actor | null, permission: Permission): Promise<void> {
    if (!actor) throw CommonErrors.authenticationFailed();
    request.context.actor = actor;
    await assertOwnTenant(request, actor, this.tenants);
    if (!roleMay(actor.role, permission)) throw CommonErrors.forbidden();
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
