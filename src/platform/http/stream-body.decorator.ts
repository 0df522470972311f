import type { Readable } from 'node:stream';
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

/** Lists of any length: lines of JSON, and tables. */
export const STREAM_TYPES = ['application/x-ndjson', 'text/csv'] as const;

/** What a route's Fastify configuration says of bodies that are streamed. */
export interface StreamBodyConfig {
  streamBody?: boolean;
  bodyLimitBytes?: number;
}

/** A request whose body is read by its handler. */
export type StreamedRequest = FastifyRequest & { bodyStream?: Readable };

/** The route takes its body as a stream of lines or as a table, besides JSON of at most so many bytes. */
export const StreamBody = (bodyLimitBytes: number): MethodDecorator =>
  applyDecorators(
    RouteConfig({ streamBody: true, bodyLimitBytes } satisfies StreamBodyConfig),
    ApiConsumes('application/json', ...STREAM_TYPES),
  );

/** The body where it is streamed, with its content type; null where it is JSON, or there is none. */
export interface StreamedBody {
  type: (typeof STREAM_TYPES)[number];
  stream: Readable;
}

/** The streamed body of the request. */
export const BodyStream = createParamDecorator((_data: unknown, context: ExecutionContext): StreamedBody | null =>
  streamedBodyOf(context.switchToHttp().getRequest<StreamedRequest>()),
);

/** The same, of the request itself. */
export function streamedBodyOf({ bodyStream: stream, headers }: StreamedRequest): StreamedBody | null {
  const given = headers['content-type']?.toLowerCase() ?? '';
  const type = STREAM_TYPES.find((each) => given.startsWith(each));
  return stream && type ? { type, stream } : null;
}
