import { Readable } from 'node:stream';
import { applyDecorators, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiResponse } from '@nestjs/swagger';
import { create as contentDisposition } from 'content-disposition';
import type { FastifyReply } from 'fastify';
import type { ByteRange } from '../storage/object-storage';
import { HttpErrors } from './http.errors';
import { rangeOf } from './range';

/** A file as it is served. */
export interface ServedFile {
  /** By its bytes. */
  mimeType: string;
  filename: string;
  sizeBytes: number;
  /** A strong validator, without its quotes. */
  version: string;
  /** The bytes, or that part of them. The signal says that whoever asked has gone. */
  open: (range: ByteRange | null, signal: AbortSignal) => Promise<Readable>;
}

/** What browsers show without running anything of it; SVG and HTML are documents and can. */
const SHOWN = /^(?:image\/(?!svg)|audio\/|video\/)/;
const NEVER_RUN = "default-src 'none'; sandbox";

/**
 * Answers a file: whole, one range of it (RFC 9110 §14, `If-Range` too), or 304 where the caller has it. No browser guesses at
 * what it is; shown in place are pictures, sound and films by their bytes, everything else is a download. HEAD opens nothing.
 * @throws RANGE_NOT_SATISFIABLE, and whatever opening the file throws
 */
export async function serveFile(reply: FastifyReply, file: ServedFile): Promise<StreamableFile | undefined> {
  const { method, headers } = reply.request;
  const etag = `"${file.version}"`;
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': NEVER_RUN,
  });
  if (namesVersion(headers['if-none-match'], etag)) {
    reply.code(304);
    return undefined;
  }
  const ifRange = headers['if-range'];
  const wanted = ifRange === undefined || ifRange === etag ? headers.range : undefined;
  const range = method === 'HEAD' ? null : rangeOf(wanted, file.sizeBytes);
  if (range === 'unsatisfiable') throw HttpErrors.rangeNotSatisfiable(file.sizeBytes);
  const stream = method === 'HEAD' ? Readable.from([]) : await file.open(range, leavingOf(reply));
  if (range) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${file.sizeBytes}`);
  return new StreamableFile(stream, {
    type: file.mimeType,
    disposition: dispositionOf(file),
    length: range ? range.last - range.first + 1 : file.sizeBytes,
  });
}

/** Aborted when the connection is gone before the answer has been. */
function leavingOf({ raw }: FastifyReply): AbortSignal {
  const leaving = new AbortController();
  raw.once('close', () => leaving.abort());
  return leaving.signal;
}

const dispositionOf = ({ mimeType, filename }: ServedFile): string =>
  contentDisposition(filename, { type: SHOWN.test(mimeType) ? 'inline' : 'attachment' });

/** Weak comparison (RFC 9110 §13.1.2). */
function namesVersion(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

const BYTES = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

/** What the documentation says of a route that serves a file. */
export const ApiServesFile = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({ name: 'Range', description: 'One range of bytes', required: false }),
    ApiHeader({ name: 'If-Range', description: 'The `ETag` that the range is of', required: false }),
    ApiHeader({ name: 'If-None-Match', description: 'The `ETag` of what the caller has', required: false }),
    ApiOkResponse({ description: 'The file', content: BYTES }),
    ApiResponse({ status: 206, description: 'The part that `Range` asked for', content: BYTES }),
    ApiResponse({ status: 304, description: 'The caller has it' }),
    ApiResponse({ status: 416, description: '`RANGE_NOT_SATISFIABLE`: nothing of the range is in the file' }),
  );
