import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AppError } from '../../common/app-error';
import { HttpErrors } from './http.errors';
import type { RequestLimits } from './request-limits';
import type { RouteTable } from './route-table';

/** What a process answers that does not answer the API. */
const OPERATIONS = /^\/(?:health(?:\/\w+)?|ready|metrics)(?:\?|$)/;

interface RefusalParts {
  routes: RouteTable;
  answersApi: boolean;
  limits: RequestLimits;
}

/**
 * Refuses, before a body is read, what no route can answer: unknown addresses, wrong methods, a missing Host
 * (RFC 9112 §3.2). A process that does not answer the API answers for its health and nothing else. Each refusal counts against its address: no guard comes
 * to count it.
 */
export function registerEarlyRefusals(fastify: FastifyInstance, parts: RefusalParts): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = refusalOf(request, parts);
    if (!refusal) return done();
    parts.limits.countRefused(request, reply).then(() => done(refusal), done);
  });
}

function refusalOf(request: FastifyRequest, { routes, answersApi }: RefusalParts): AppError | null {
  if (request.raw.httpVersionMinor === 1 && request.headers.host === undefined) return HttpErrors.hostRequired();
  if (!answersApi && !OPERATIONS.test(request.url)) return HttpErrors.unknownRoute();
  if (!request.is404) return null;
  const methods = routes.methodsOf(request.url);
  return methods.length > 0 ? HttpErrors.methodNotAllowed(methods) : HttpErrors.unknownRoute();
}
