import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Claim, IdempotencyStore } from './idempotency.store';

/** Refusals that say nothing final of the request itself: the same may well pass later, or after it was mended. */
const NOT_FINAL = [400, 401, 402, 403, 408, 413, 415, 425, 429];

/** Whether the answer is kept: 2xx, and refusals for good by the business (404, 409, 412, 422 …). */
export const isFinal = (status: number): boolean =>
  (status >= 200 && status < 300) || (status >= 400 && status < 500 && !NOT_FINAL.includes(status));

/**
 * Keeps the answers of requests that hold a key: just before an answer goes out, so that whoever has seen it will get it
 * again. Where keeping fails the answer goes out nevertheless, and the key stays taken until its lease is over.
 */
@Injectable()
export class IdempotencySettlement implements OnModuleInit {
  private readonly claims = new WeakMap<FastifyRequest, Claim>();
  private readonly logger = new Logger('Idempotency');

  constructor(
    private readonly store: IdempotencyStore,
    private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter?.getInstance<FastifyInstance>();
    // `raw` and without a promise: nearly every request passes here without a claim.
    fastify?.addHook('onSend', (request, reply, payload, done) => {
      const claim = this.claims.get(request);
      if (!claim) return done();
      this.claims.delete(request);
      void this.settle(claim, reply.statusCode, payload).then(() => done());
    });
  }

  /** The answer of this request settles the claim. */
  expect(request: FastifyRequest, claim: Claim): void {
    this.claims.set(request, claim);
  }

  private async settle(claim: Claim, status: number, payload: unknown): Promise<void> {
    try {
      const body = payload ?? '';
      if (isFinal(status) && typeof body === 'string') await this.store.keep(claim, status, body);
      else await this.store.release(claim);
    } catch (error) {
      this.logger.error('The answer to an Idempotency-Key could not be kept', error);
    }
  }
}
