import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AppError } from '../../common/app-error';
import { HttpErrors } from './http.errors';
import type { RawBodyConfig } from './raw-body.decorator';

/** Bodies of JSON routes that say nothing else. */
export const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Takes JSON in UTF-8 and nothing else (415 otherwise; 400 for bytes that are no UTF-8). An empty body with a JSON content type
 * is no body: clients send it with DELETE. Keys that would reach a prototype are refused. Routes marked `@RawBody()` get the
 * bytes, unparsed, as their body.
 */
export function registerBodyParsers(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error') as unknown as (
    request: FastifyRequest,
    body: string,
    done: Done,
  ) => void;
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done: Done) => {
    const refusal = refusalOf(request.headers, body);
    if (refusal) return done(refusal);
    if ((request.routeOptions.config as RawBodyConfig).rawBody) return done(null, body);
    if (body.length === 0) return done(null, undefined);
    const text = body.toString('utf8');
    parseJson(request, text, (error, value) =>
      done(error && isJson(text) ? HttpErrors.forbiddenKey(error) : error, value),
    );
  });
  fastify.addHook('onRoute', (route) => {
    const { bodyLimitBytes } = (route.config ?? {}) as RawBodyConfig;
    if (bodyLimitBytes !== undefined) route.bodyLimit = bodyLimitBytes;
  });
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

/** Why the bytes are not to be read as JSON (RFC 8259 §8.1); null when they are. */
function refusalOf(headers: IncomingHttpHeaders, body: Buffer): AppError | null {
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) return HttpErrors.unsupportedCoding();
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return HttpErrors.unsupportedCoding();
  return isUtf8(body) ? null : HttpErrors.invalidUtf8();
}

/** The parser refuses two things: what is no JSON, and keys that would reach a prototype. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
