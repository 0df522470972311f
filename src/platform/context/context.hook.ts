import type { FastifyInstance } from 'fastify';
import { runInContext, type RequestContext } from './request-context';

declare module 'fastify' {
  interface FastifyRequest {
    /** The same object that `currentContext()` gives inside the request. */
    context: RequestContext;
  }
}

/**
 * Enters the request's context in one `onRequest` hook, and answers `X-Request-Id`. Fastify keeps the async context over the
 * reading of a body, so that no second hook is needed. Must be the first hook: what refuses a request early still has its id.
 */
export function registerContext(fastify: FastifyInstance): void {
  fastify.decorateRequest('context');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.context = {
      requestId: request.id,
      ip: request.ip,
      userAgent: request.headers['user-agent'],
      actor: undefined,
      resourceId: undefined,
      refusal: undefined,
    };
    reply.header('x-request-id', request.id);
    runInContext(request.context, done);
  });
}
