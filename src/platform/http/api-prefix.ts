/** Under this address the documentation stands, which has no second address without the prefix. */
export const DOCS_PATH = '/api/docs';

/**
 * Every route answers under `/api` as well: `/api/files` is `/files`. Only the documentation stays where it is. Used as
 * Fastify's `rewriteUrl`, so that the router never knows of two addresses.
 */
export function withoutPrefix(url: string): string {
  if (!url.startsWith('/api')) return url;
  if (url.startsWith(DOCS_PATH)) return url;
  const rest = url.slice('/api'.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}
