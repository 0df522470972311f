import type { FastifyInstance } from 'fastify';
import type { Config } from '../../config/config';
import { HttpErrors } from './http.errors';
import type { RouteTable } from './route-table';

/** What a process of any role answers. */
const OPERATIONS = /^\/(?:health(?:\/\w+)?|ready|metrics)(?:\?|$)/;

/**
 * Refuses, before a body is read, what no route can answer: unknown addresses, wrong methods, a missing Host
 * (RFC 9112 §3.2). A worker answers for its health and nothing else.
 */
export function registerEarlyRefusals(fastify: FastifyInstance, routes: RouteTable, role: Config['ROLE']): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (request.raw.httpVersionMinor === 1 && request.headers.host === undefined)
      return done(HttpErrors.hostRequired());
    if (role === 'worker' && !OPERATIONS.test(request.url)) return done(HttpErrors.unknownRoute());
    if (!request.is404) return done();
    const methods = routes.methodsOf(request.url);
    done(methods.length > 0 ? HttpErrors.methodNotAllowed(methods) : HttpErrors.unknownRoute());
  });
}
