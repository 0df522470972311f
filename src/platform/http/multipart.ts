import { Readable } from 'node:stream';
import multipart, { type FastifyMultipartOptions, type Multipart, type MultipartFile } from '@fastify/multipart';
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from 'fastify';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { takeTime, UPLOAD_PACE } from './client-error';
import { HttpErrors } from './http.errors';
import { drainRefused } from './refused-body';

export const MULTIPART_TYPE = 'multipart/form-data';
const FIELD = 'file';

/** What a route's Fastify configuration says of multipart bodies. */
export interface MultipartBodyConfig {
  multipartBody?: boolean;
}

/** The one file of a form, read as it comes. */
export interface Upload {
  /** What the client calls it; without a folder, otherwise as it was sent. Empty where it has no name. */
  filename: string;
  /** What the client says that it is. */
  mimeType: string;
  /**
   * Its bytes, without bound: whoever reads them bounds them. Fails with an AppError when the form breaks off, is malformed or
   * holds more than the file, so that nothing of such a form is kept. Must be read to its end or destroyed.
   */
  content: Readable;
}

/** Forms with a file, on the routes that take them; the others refuse them before they are read. */
export async function registerMultipart(fastify: FastifyInstance): Promise<void> {
  // Readers bound the file; whatever else a form may hold is refused as soon as it comes.
  await fastify.register(bare(multipart), {
    limits: {
      fileSize: Infinity,
      files: 1,
      fields: 1,
      fieldNameSize: 100,
      fieldSize: 1_024,
      parts: 2,
      headerPairs: 20,
    },
    throwFileSizeLimit: false,
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    const type = request.headers['content-type'];
    if (type === undefined || request.method === 'GET' || request.method === 'HEAD') return done();
    const sends = type.toLowerCase().startsWith(MULTIPART_TYPE);
    const takes = (request.routeOptions.config as MultipartBodyConfig).multipartBody === true;
    done(sends && !takes ? HttpErrors.unsupportedMediaType() : null);
  });
}

/** What requests get of the plugin, beside its own symbols. */
const KEPT: readonly (string | symbol)[] = ['isMultipart', 'parts'];

/**
 * The plugin without what would put a form on the disk or into memory (`saveRequestFiles`, `toBuffer` of `file()`, `formData`), past the
 * bounds of whoever reads it: requests do not have these. And without its hooks, which every request would pay for, with a form or
 * without (a listener, a closure and two promises): they clear away what `saveRequestFiles` left.
 */
function bare(plugin: FastifyPluginCallback<FastifyMultipartOptions>): typeof plugin {
  const inner: typeof plugin = (fastify, options, done) => {
    const decorateRequest = (name: string | symbol, value: unknown): FastifyInstance =>
      typeof name === 'symbol' || KEPT.includes(name) ? fastify.decorateRequest(name, value) : fastify;
    const narrowed = { addHook: { value: () => fastify }, decorateRequest: { value: decorateRequest } };
    plugin(Object.create(fastify, narrowed) as FastifyInstance, options, done);
  };
  // As fastify-plugin marks what is for the whole server.
  return Object.assign(inner, { [Symbol.for('skip-override')]: true });
}

const FORM = {
  type: 'object',
  required: [FIELD],
  properties: { [FIELD]: { type: 'string', format: 'binary' } },
};

/** The route takes a form with one file in its field `file`, as a stream, and nothing else. */
export const MultipartBody = (): MethodDecorator =>
  applyDecorators(
    RouteConfig({ multipartBody: true } satisfies MultipartBodyConfig),
    ApiConsumes(MULTIPART_TYPE),
    ApiBody({ schema: FORM }),
  );

/**
 * The file of the form, when all before it has come. It may take its time, as long as it comes in at a pace.
 * @throws VALIDATION_FAILED where there is none, UNSUPPORTED_MEDIA_TYPE where the body is no form
 */
export const UploadedFile = createParamDecorator((_data: unknown, context: ExecutionContext): Promise<Upload> => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  takeTime(request.raw, UPLOAD_PACE);
  return uploadOf(request);
});

/** The same, of the request itself. */
export async function uploadOf(request: FastifyRequest): Promise<Upload> {
  // Said here and not before the body is read: nobody learns what a route takes who may not call it.
  if (!request.isMultipart() && request.headers['content-type'] !== undefined) throw HttpErrors.unsupportedMediaType();
  const parts: Parts | null = request.isMultipart() ? request.parts() : null;
  const first = parts && (await nextOf(parts));
  if (parts && first?.type === 'file' && first.fieldname === FIELD)
    return { filename: nameOf(first), mimeType: first.mimetype, content: fileOf(request, first, parts) };
  drainRefused(request.raw);
  if (first) throw unknownField(first.fieldname);
  throw CommonErrors.invalidField(FIELD, `${FIELD} must be a file, in a body of ${MULTIPART_TYPE}`);
}

type Parts = AsyncIterator<Multipart, void>;

/** A part with a type and no name is a file too, though the parser's types do not say so. */
const nameOf = ({ filename }: { filename?: string }): string => filename ?? '';

function fileOf(request: FastifyRequest, file: MultipartFile, parts: Parts): Readable {
  const content = Readable.from(contentOf(request, file, parts));
  // Nothing is said to a generator that was never begun: what is refused before it is read is drained here.
  content.once('close', () => {
    if (!request.raw.readableEnded) drainRefused(request.raw);
  });
  return content;
}

async function nextOf(parts: Parts): Promise<Multipart | null> {
  try {
    return (await parts.next()).value ?? null;
  } catch (error) {
    throw broken(error);
  }
}

/** The bytes, and then the certainty that they were all there is. */
async function* contentOf(request: FastifyRequest, { file }: MultipartFile, parts: Parts): AsyncGenerator<Buffer> {
  let whole = false;
  try {
    for await (const chunk of file as AsyncIterable<Buffer>) yield chunk;
    const more = await nextOf(parts);
    if (more) throw unknownField(more.fieldname);
    whole = true;
  } catch (error) {
    throw broken(error);
  } finally {
    // What is refused is still on its way: some more is read, so that the client hears the answer.
    if (!whole) drainRefused(request.raw);
  }
}

const unknownField = (name: string): AppError =>
  CommonErrors.invalidField(
    name.toWellFormed().slice(0, 100),
    `the form must hold one file named ${FIELD} and nothing else`,
  );

/** What a parser says of a form is the client's doing. */
const broken = (error: unknown): AppError => (error instanceof AppError ? error : HttpErrors.brokenForm(error));
