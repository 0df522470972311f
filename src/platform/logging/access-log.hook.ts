import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/** One line per answer: method, route template (never the address, which may carry ids and secrets), status, milliseconds. */
export function registerAccessLog(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    if (logger.isLevelEnabled('info'))
      logger.info(
        {
          method: request.method,
          route: request.is404 ? 'unmatched' : request.routeOptions.url,
          status: reply.statusCode,
          ms: Math.round(reply.elapsedTime * 100) / 100,
          ip: request.context.ip,
        },
        'request',
      );
    done();
  });
}
