import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../../config/config';
import { deriveKey } from '../crypto/keys';
import { accessRuleOf } from '../http/access-rule';
import type { StreamedRequest } from '../http/stream-body.decorator';
import { fingerprintOf } from './fingerprint';
import { IdempotencyErrors } from './idempotency.errors';
import { IdempotencySettlement } from './idempotency.settlement';
import { type ClaimOutcome, IdempotencyStore } from './idempotency.store';
import { isNotIdempotent } from './not-idempotent.decorator';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
/** For a promise of which nobody waits any more: the request has been answered. */
const NEVER = (): Promise<boolean> => new Promise(() => undefined);

/**
 * `Idempotency-Key` on writes (draft-ietf-httpapi-idempotency-key-header): the first request with a key runs, the same again
 * gets the first one's answer. Comes after the guard that knows the caller, and costs one look at the headers where there is
 * no key. The answer is kept by IdempotencySettlement.
 */
@Injectable()
export class IdempotencyGuard implements CanActivate {
  private readonly key: Buffer;

  constructor(
    private readonly store: IdempotencyStore,
    private readonly settlement: IdempotencySettlement,
    config: Config,
  ) {
    if (!config.DATA_ENCRYPTION_KEY) throw new Error('DATA_ENCRYPTION_KEY is needed before requests can be compared');
    this.key = deriveKey(Buffer.from(config.DATA_ENCRYPTION_KEY, 'base64'), 'idempotency');
  }

  /** @throws VALIDATION_FAILED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || SAFE_METHODS.includes(request.method)) return true;
    if (isNotIdempotent(context.getHandler())) throw IdempotencyErrors.notOffered();
    if (typeof key !== 'string' || !VISIBLE_ASCII.test(key)) throw IdempotencyErrors.malformedKey();
    if (!request.context.actor) return this.withoutActor(context);
    if (isStreamed(request) && request.headers['content-digest'] === undefined) throw IdempotencyErrors.digestNeeded();
    return this.enter(request, context.switchToHttp().getResponse<FastifyReply>(), key);
  }

  /** Keys belong to an actor: on open routes they mean nothing. */
  private withoutActor(context: ExecutionContext): true {
    if (accessRuleOf(context.getHandler())?.access.kind === 'public') return true;
    throw new Error('IdempotencyGuard must come after the guard that knows the caller');
  }

  private async enter(request: FastifyRequest, reply: FastifyReply, key: string): Promise<boolean> {
    const { actor } = request.context;
    if (!actor) return true;
    const outcome = await this.store.claim({ actor, route: routeOf(request), key }, this.fingerprint(request));
    switch (outcome.kind) {
      case 'reused':
        throw IdempotencyErrors.reused();
      case 'running':
        throw IdempotencyErrors.inProgress();
      case 'replay':
        replay(reply, outcome);
        return NEVER();
      case 'claimed':
        request.context.resourceId = outcome.claim.resourceId;
        this.settlement.expect(request, outcome.claim);
        return true;
    }
  }

  private fingerprint(request: FastifyRequest): string {
    const query = request.url.split('?').slice(1).join('?');
    try {
      const { 'content-length': length, 'content-digest': digest } = request.headers;
      const contentLength = digest === undefined ? length : `${length} ${String(digest)}`;
      return fingerprintOf(this.key, { body: request.body, query, contentLength });
    } catch (error) {
      if (error instanceof RangeError) throw IdempotencyErrors.tooDeep();
      throw error;
    }
  }
}

/** Nothing of such a body is in memory to be compared. */
const isStreamed = (request: FastifyRequest): boolean =>
  (request as StreamedRequest).bodyStream !== undefined ||
  (request.headers['content-type']?.toLowerCase().startsWith('multipart/') ?? false);

function replay(reply: FastifyReply, { status, body }: Extract<ClaimOutcome, { kind: 'replay' }>): void {
  void reply.code(status).header('idempotent-replayed', 'true');
  const requestId = status >= 400 ? requestIdIn(body) : undefined;
  if (requestId) void reply.header('x-request-id', requestId);
  if (body === '') void reply.send();
  else void reply.type('application/json; charset=utf-8').serializer(String).send(body);
}

/** The kept error names the request that it was given to; the header must say the same (docs/ERRORS.md). */
function requestIdIn(body: string): string | undefined {
  return (JSON.parse(body) as { requestId?: string }).requestId;
}

function routeOf({ method, routeOptions, params }: FastifyRequest): string {
  const values = Object.values((params ?? {}) as Record<string, string>);
  return [method, routeOptions.url ?? '', ...values].join(' ');
}
