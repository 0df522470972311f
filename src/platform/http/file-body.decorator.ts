import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import { takeTime, UPLOAD_PACE } from './client-error';
import { HttpErrors } from './http.errors';
import { MULTIPART_TYPE, type MultipartBodyConfig, uploadOf } from './multipart';
import { drainRefused } from './refused-body';
import { STREAM_TYPES, type StreamBodyConfig, type StreamedRequest, streamedBodyOf } from './stream-body.decorator';

/** The route takes a file of rows, however long: as its body, or as the one file of a form. */
export const FileBody = (): MethodDecorator =>
  applyDecorators(
    RouteConfig({ streamBody: true, multipartBody: true } satisfies StreamBodyConfig & MultipartBodyConfig),
    ApiConsumes(...STREAM_TYPES, MULTIPART_TYPE),
    ApiBody({ description: 'The file; in a form, its part `file`', schema: { type: 'string', format: 'binary' } }),
  );

/** A file of rows. */
export interface BodyFile {
  type: (typeof STREAM_TYPES)[number];
  /** Must be read to its end or destroyed. */
  stream: Readable;
}

/** The file that the request brings. @throws UNSUPPORTED_MEDIA_TYPE for what is neither a table nor lines of JSON */
export const FileOfBody = createParamDecorator((_data: unknown, context: ExecutionContext): Promise<BodyFile> =>
  fileOf(context.switchToHttp().getRequest<StreamedRequest>()),
);

async function fileOf(request: StreamedRequest): Promise<BodyFile> {
  takeTime(request.raw, UPLOAD_PACE);
  const streamed = streamedBodyOf(request);
  if (streamed) return { type: streamed.type, stream: bodyOf(request, streamed.stream) };
  if (!request.isMultipart()) throw HttpErrors.unsupportedMediaType();
  const { filename, mimeType, content } = await uploadOf(request);
  const type = typeOf(filename, mimeType);
  if (type) return { type, stream: content };
  content.destroy();
  throw HttpErrors.unsupportedMediaType();
}

/** The body as it comes. Of what is refused some more is read, so that the client hears the answer. */
function bodyOf({ raw }: StreamedRequest, body: Readable): Readable {
  // Nothing is said to a generator that was never begun: what is refused before it is read is drained here.
  return Readable.from(chunksOf(raw, body), { objectMode: false }).once('close', () => drainRefused(raw));
}

async function* chunksOf(raw: IncomingMessage, body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } finally {
    drainRefused(raw);
  }
}

/** By its name first: browsers send what the desktop has registered for a table (`application/vnd.ms-excel`). */
function typeOf(filename: string, mimeType: string): BodyFile['type'] | null {
  const ending = /\.([a-z]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  if (ending === 'csv') return 'text/csv';
  if (ending === 'ndjson' || ending === 'jsonl') return 'application/x-ndjson';
  return STREAM_TYPES.find((type) => mimeType.toLowerCase().startsWith(type)) ?? null;
}
