import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RawBodyConfig } from './raw-body.decorator';

/** Bodies of JSON routes that say nothing else. */
export const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    /** The untouched bytes of the body, on routes marked `@RawBody()` only. */
    rawBody?: Buffer;
  }
}

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Takes JSON and nothing else (415 otherwise). An empty body with a JSON content type is no body: clients send it with
 * DELETE. Keys that would reach a prototype are refused. Routes marked `@RawBody()` get the bytes, unparsed, as their body.
 */
export function registerBodyParsers(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error') as unknown as (
    request: FastifyRequest,
    body: string,
    done: Done,
  ) => void;
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done: Done) => {
    if ((request.routeOptions.config as RawBodyConfig).rawBody) {
      request.rawBody = body;
      return done(null, body);
    }
    if (body.length === 0) return done(null, undefined);
    parseJson(request, body.toString('utf8'), done);
  });
  fastify.addHook('onRoute', (route) => {
    const { bodyLimitBytes } = (route.config ?? {}) as RawBodyConfig;
    if (bodyLimitBytes !== undefined) route.bodyLimit = bodyLimitBytes;
  });
}
