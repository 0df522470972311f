import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AppError } from '../../common/app-error';
import { exactly } from '../../common/written-numbers';
import { FORM_TYPE, type FormBodyConfig } from './form-body.decorator';
import { HttpErrors } from './http.errors';
import { isInheritedName } from './inherited-names';
import { STREAM_TYPES, type StreamBodyConfig, type StreamedRequest } from './stream-body.decorator';
import type { RawBodyConfig } from './raw-body.decorator';

/** Bodies of JSON routes that say nothing else. */
export const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Takes JSON in UTF-8 and nothing else (415 otherwise; 400 for bytes that are no UTF-8). An empty body with a JSON content type
 * is no body: clients send it with DELETE. Keys that would reach a prototype are refused, and no number becomes another one: what
 * a double does not keep stays as it was written (written-numbers.ts) for whoever validates the body. Routes marked `@RawBody()` get the
 * bytes, unparsed, as their body; those marked `@FormBody()` take forms as well.
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
    parseJson(request, text, (error, value) => {
      if (error) return done(isJson(text) ? HttpErrors.forbiddenKey(error) : error);
      done(null, exactly(text, value));
    });
  });
  registerForms(fastify);
  registerStreams(fastify);
  fastify.addHook('onRoute', (route) => {
    const { bodyLimitBytes } = (route.config ?? {}) as RawBodyConfig;
    if (bodyLimitBytes !== undefined) route.bodyLimit = bodyLimitBytes;
  });
}

/** Forms, on the routes that take them; the others refuse them before they are read. */
function registerForms(fastify: FastifyInstance): void {
  fastify.addContentTypeParser(FORM_TYPE, { parseAs: 'buffer' }, (request, body: Buffer, done: Done) => {
    const refusal = refusalOf(request.headers, body);
    if (refusal) return done(refusal);
    const form = formOf(body.toString('utf8'));
    done(form ? null : HttpErrors.repeatedParameter(), form ?? undefined);
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    const isForm = request.headers['content-type']?.toLowerCase().startsWith(FORM_TYPE) ?? false;
    const refused = isForm && request.method !== 'GET' && !(request.routeOptions.config as FormBodyConfig).formBody;
    done(refused ? HttpErrors.unsupportedMediaType() : null);
  });
}

/** Bodies that are read as they come, on the routes that take them; the others refuse them before they are read. */
function registerStreams(fastify: FastifyInstance): void {
  fastify.addContentTypeParser([...STREAM_TYPES], (request, payload, done: Done) => {
    if (!(request.routeOptions.config as StreamBodyConfig).streamBody) return done(HttpErrors.unsupportedMediaType());
    const refusal = refusalOf(request.headers, Buffer.alloc(0));
    if (refusal) return done(refusal);
    (request as StreamedRequest).bodyStream = payload;
    done(null, undefined);
  });
}

/** The parameters by name; null where one comes twice (RFC 6749 §3.1), or is named like a member of every object. */
function formOf(text: string): Record<string, string> | null {
  const pairs = [...new URLSearchParams(text)];
  const names = new Set(pairs.map(([name]) => name));
  const sound = names.size === pairs.length && ![...names].some(isInheritedName);
  return sound ? Object.fromEntries(pairs) : null;
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
