import type { FastifyInstance } from 'fastify';
import type { Readiness } from './readiness';

/** While the process shuts down, each answer also ends its connection, so that clients and balancers go elsewhere. */
export function registerDraining(fastify: FastifyInstance, readiness: Readiness): void {
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isStopping) reply.header('connection', 'close');
    done(null, payload);
  });
}
