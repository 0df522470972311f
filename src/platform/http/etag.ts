import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader, ApiPreconditionFailedResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CommonErrors } from '../../common/common.errors';

/** Which state of a thing it is; never twice under the same id. */
export type Version = number | string;

/**
 * Of what has an id that people choose, and may be removed: what is made anew under that id begins with 1 again, and is told from
 * the one before by the moment when it was made.
 */
export const versionOf = ({ version, created_at: made }: { version: number; created_at: Date | string }): string =>
  `${version}-${new Date(made).getTime().toString(36)}`;

/** Answers the version of what people edit as its strong `ETag` (RFC 9110 §8.8.3). */
export function sendEtag(reply: FastifyReply, version: Version): void {
  reply.header('etag', `"${version}"`);
}

/** The same of a row that is answered; gives it back. */
export function versioned<Row extends { version: number }>(
  reply: FastifyReply,
  row: Row,
  version: Version = row.version,
): Row {
  sendEtag(reply, version);
  return row;
}

/**
 * In the API's description: the route changes what carries an `ETag`, and takes `If-Match`.
 * @param since why the header does not hold any more: `the order was changed since`
 */
export const ChangesVersioned = (since: string): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` of the state that the change is meant for',
    }),
    ApiPreconditionFailedResponse({ description: `\`PRECONDITION_FAILED\`: ${since}` }),
  );

/** The versions that `If-Match` allows; null where any will do (no header, or `*`). */
export type ExpectedVersions = readonly string[] | null;

/** `If-Match` of the request, for handlers that change what carries an `ETag`. Weak tags match nothing (RFC 9110 §13.1.1). */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersions => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  if (header === undefined || header.trim() === '*') return null;
  return header.split(',').map((tag) => tag.trim());
});

/** @throws PRECONDITION_FAILED when the present version is none of those expected */
export function assertVersion(expected: ExpectedVersions, version: Version): void {
  if (expected && !expected.includes(`"${version}"`)) throw CommonErrors.preconditionFailed();
}
