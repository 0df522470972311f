import type { FastifyInstance } from 'fastify';
import { HttpErrors } from './http.errors';
import type { RouteTable } from './route-table';

/** Refuses, before a body is read, what no route can answer: unknown addresses, wrong methods, a missing Host (RFC 9112 §3.2). */
export function registerEarlyRefusals(fastify: FastifyInstance, routes: RouteTable): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (request.raw.httpVersionMinor === 1 && request.headers.host === undefined)
      return done(HttpErrors.hostRequired());
    if (!request.is404) return done();
    const methods = routes.methodsOf(request.url);
    done(methods.length > 0 ? HttpErrors.methodNotAllowed(methods) : HttpErrors.unknownRoute());
  });
}
