import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AccessLog } from './access-log';

/** One line per answer. */
export function registerAccessLog(fastify: FastifyInstance, log: AccessLog): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    logAnswer(log, request, reply);
    done();
  });
}

/** Says whose it was here: an answer's end is not always within the request's context, and a badly encoded address has none. */
export function logAnswer(log: AccessLog, request: FastifyRequest, reply: FastifyReply): void {
  log({
    requestId: request.id,
    actor: (request.context as FastifyRequest['context'] | undefined)?.actor,
    method: request.method,
    route: request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched'),
    status: reply.statusCode,
    ms: reply.elapsedTime,
    ip: request.ip,
  });
}
