import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** One line per answer. */
export function registerAccessLog(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    logAnswer(logger, request, reply);
    done();
  });
}

/** Whose, method, route template (never the address, which may carry ids and secrets), status, milliseconds. */
export function logAnswer(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  if (!logger.isLevelEnabled('info')) return;
  logger.info(
    {
      ...callerOf(request),
      method: request.method,
      route: request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched'),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 100) / 100,
      ip: request.ip,
    },
    'request',
  );
}

/** Said here because an answer's end is not always within the request's context, and a badly encoded address has none. */
function callerOf({ id, context }: FastifyRequest): Record<string, string> {
  const actor = (context as FastifyRequest['context'] | undefined)?.actor;
  return actor ? { request_id: id, tenant_id: actor.tenantId, user_id: actor.id } : { request_id: id };
}
