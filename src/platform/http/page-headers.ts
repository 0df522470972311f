import type { FastifyReply } from 'fastify';
import { MAX_OFFSET, type Page, type PageRequest } from '../../common/paging';

/**
 * Puts the next page into `Link` (RFC 8288) and the total, where it was asked for, into `X-Total-Count`; gives the bare array
 * that lists answer. The address of the next page is relative and keeps every filter and the prefix that the client used; a
 * list that was asked for with `offset` goes on with `offset`, and by cursor where no offset reaches or the page says so.
 */
export function sendPage<T>(reply: FastifyReply, page: Page<T>, asked: PageRequest): T[] {
  if (page.total !== undefined) reply.header('x-total-count', page.total);
  if (page.nextCursor !== null)
    reply.header(
      'link',
      `<${nextUrl(reply, page.nextCursor, page.byCursor ? { limit: asked.limit } : asked)}>; rel="next"`,
    );
  return page.items;
}

function nextUrl(reply: FastifyReply, cursor: string, asked: PageRequest): string {
  const [path = '', query = ''] = reply.request.originalUrl.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('limit', String(asked.limit));
  const offset = asked.offset === undefined ? Infinity : asked.offset + asked.limit;
  parameters.delete('offset');
  if (offset <= MAX_OFFSET) parameters.set('offset', String(offset));
  else parameters.set('cursor', cursor);
  return `${path}?${parameters.toString()}`;
}
