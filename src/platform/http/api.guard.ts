import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorMay, PLATFORM_TENANT_ID } from '../../common/actor';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { type Permission, TENANTLESS_PERMISSIONS } from '../../common/permissions';
import { after, isToCome, type Soon } from '../../common/soon';
import { type AccessRule, accessRuleOf } from './access-rule';
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

  /**
   * Without a promise where all is known: who is calling, and that nothing bounds how often.
   * @throws AUTHENTICATION_FAILED, RATE_LIMITED, QUOTA_EXCEEDED, TENANT_NOT_FOUND, FORBIDDEN, VALIDATION_FAILED
   */
  canActivate(context: ExecutionContext): Soon<boolean> {
    const rule = accessRuleOf(context.getHandler());
    if (!rule) throw CommonErrors.forbidden();
    const caller = rule.access.kind === 'public' ? null : this.identify(context);
    return after(caller, (known) => this.check(context, rule, known));
  }

  private check(context: ExecutionContext, rule: AccessRule, caller: Actor | null): Soon<boolean> {
    const request = requestOf(context);
    request.context.actor = caller ?? undefined; // what is refused from here on is the caller's
    return after(this.count(context, rule, caller), () =>
      after(caller && this.select(request, caller), (actor) => {
        if (rule.access.kind === 'permission') this.admit(actor, rule.access.permission);
        assertDeclaredInput(request, rule.input);
        return true;
      }),
    );
  }

  private count(context: ExecutionContext, rule: AccessRule, caller: Actor | null): Soon<void> {
    const counted = this.limits.count(context, rule, caller);
    if (!caller || rule.limit.kind === 'none') return counted;
    return after(counted, () => this.countKnown(context, caller));
  }

  /** The platform belongs to no plan, and administers it. */
  private countKnown(context: ExecutionContext, actor: Actor): Soon<void> {
    if (actor.kind === 'platform') return undefined;
    return after(this.tenants.limitsOf(actor.tenantId), ({ requests_per_minute: perMinute }) =>
      perMinute === null && actor.requestsPerMinute === null
        ? undefined
        : this.limits.countKnown(context, actor, perMinute),
    );
  }

  private admit(actor: Actor | null, permission: Permission): void {
    if (!actor) throw CommonErrors.authenticationFailed();
    if (!actorMay(actor, permission)) throw CommonErrors.forbidden();
    if (actor.tenantId === PLATFORM_TENANT_ID && !TENANTLESS_PERMISSIONS.includes(permission))
      throw CommonErrors.tenantNotSelected();
  }

  /** The caller in the tenant that the request is about; the context knows it from here on. */
  private select(request: FastifyRequest, caller: Actor): Soon<Actor> {
    return after(actorInTenant(request, caller, this.tenants), (actor) => {
      request.context.actor = actor;
      return actor;
    });
  }

  /** A wrong credential counts against its address: guessing is as limited as asking without one. */
  private identify(context: ExecutionContext): Soon<Actor | null> {
    try {
      const caller = this.authenticator.authenticate(requestOf(context));
      if (!isToCome(caller)) return caller;
      return Promise.resolve(caller).catch((error: unknown) => this.refuse(context, error));
    } catch (error) {
      return this.refuse(context, error);
    }
  }

  private async refuse(context: ExecutionContext, error: unknown): Promise<never> {
    const refused = error instanceof AppError && error.code === 'AUTHENTICATION_FAILED';
    if (refused) await this.limits.countAddress(context);
    throw error;
  }
}

const requestOf = (context: ExecutionContext): FastifyRequest => context.switchToHttp().getRequest<FastifyRequest>();
