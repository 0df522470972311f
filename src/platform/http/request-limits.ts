import { hash } from 'node:crypto';
import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { InjectThrottlerOptions, InjectThrottlerStorage, ThrottlerGuard } from '@nestjs/throttler';
import type { ThrottlerLimitDetail, ThrottlerModuleOptions, ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { AppError } from '../../common/app-error';
import type { Soon } from '../../common/soon';
import { Config } from '../../config/config';
import type { AccessRule } from './access-rule';

const MINUTE_MS = 60_000;
/** Begins the keys under which tenants are counted against their plans. */
const PLAN = 'plan:';

/**
 * How many requests a caller may make: the throttler's counting and headers, asked by our one guard after it knows the caller.
 * Unauthenticated requests count by address, attempts to get in by address and by account, known callers against their tenant's
 * plan and, where they are keys with a bound of their own, against that.
 */
@Injectable()
export class RequestLimits extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    @Inject(Config) private readonly config: Config,
  ) {
    super(options, storage, reflector);
  }

  /** Counts a request whose caller is known, or known to be nobody. @throws RATE_LIMITED */
  count(context: ExecutionContext, rule: AccessRule, actor: Actor | null): Soon<void> {
    const { limit } = rule;
    if (limit.kind === 'none') return;
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (limit.kind === 'auth' && limit.when(body))
      return this.countAttempt(context, limit.bucket, actor?.id ?? limit.accountOf(body));
    return actor ? undefined : this.countAddress(context);
  }

  /**
   * Counts a request of a known caller; a bound of null costs nothing.
   * @param planPerMinute what the plan grants all users and keys of the tenant together
   * @throws RATE_LIMITED at the key's own bound, which comes first: what it refuses does not use up the plan
   * @throws QUOTA_EXCEEDED at the plan's
   */
  async countKnown(context: ExecutionContext, actor: Actor, planPerMinute: number | null): Promise<void> {
    const { id, tenantId, requestsPerMinute } = actor;
    if (requestsPerMinute !== null) await this.hit(context, `key:${id}`, requestsPerMinute);
    if (planPerMinute !== null) await this.hit(context, PLAN + tenantId, planPerMinute);
  }

  /** Counts a request of nobody, or with a wrong credential, against its address. @throws RATE_LIMITED */
  async countAddress(context: ExecutionContext): Promise<void> {
    const address = await this.addressOf(context);
    await this.hit(context, `address:${address}`, this.config.RATE_LIMIT_PER_MINUTE);
  }

  /** Counts a request that no handler will see against its address. @throws RATE_LIMITED */
  countRefused(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.countAddress(new ExecutionContextHost([request, reply]));
  }

  private async countAttempt(context: ExecutionContext, bucket: string, account?: string): Promise<void> {
    const limit = this.config.AUTH_RATE_LIMIT_PER_MINUTE;
    await this.hit(context, `auth:${bucket}:address:${await this.addressOf(context)}`, limit);
    if (account) await this.hit(context, `auth:${bucket}:account:${hash('sha256', account)}`, limit);
  }

  /** IPv6 clients own whole networks: the throttler counts them by /64. */
  private addressOf(context: ExecutionContext): Promise<string> {
    return this.getTracker({ ip: context.switchToHttp().getRequest<FastifyRequest>().context.ip });
  }

  private async hit(context: ExecutionContext, key: string, limit: number): Promise<void> {
    const throttler = this.throttlers[0] ?? { ttl: MINUTE_MS, limit };
    await this.handleRequest({
      context,
      limit,
      ttl: MINUTE_MS,
      throttler,
      blockDuration: MINUTE_MS,
      getTracker: () => Promise.resolve(key),
      generateKey: (_context, tracker) => tracker,
    });
  }

  /** Where a request counts twice, the answer tells of the tighter count. */
  protected override setResponseHeader(reply: FastifyReply, name: string, value: string | number): void {
    const before = name === 'RateLimit-Reset' ? undefined : reply.getHeader(name);
    reply.header(name, before === undefined ? value : Math.min(Number(before), Number(value)));
  }

  protected override throwThrottlingException(_context: ExecutionContext, detail: ThrottlerLimitDetail): Promise<void> {
    const ofPlan = detail.key.startsWith(PLAN);
    const text = ofPlan ? `The plan allows ${detail.limit} requests a minute` : 'Too many requests';
    throw new AppError(ofPlan ? 'QUOTA_EXCEEDED' : 'RATE_LIMITED', text, {
      headers: {
        'retry-after': String(detail.timeToBlockExpire),
        'ratelimit-limit': String(detail.limit),
        'ratelimit-remaining': '0',
        'ratelimit-reset': String(detail.timeToExpire),
      },
    });
  }
}
