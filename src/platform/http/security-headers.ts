import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import { DOCS_PATH } from './api-prefix';

type Headers = Record<string, string>;

/** The headers that go with every answer of the API, and those of the documentation's pages. */
export interface SecurityHeaders {
  api: Headers;
  docs: Headers;
}

const OF_HTTP_ITSELF = ['content-type', 'content-length', 'date', 'connection'];

/**
 * What helmet sets. The headers never change while the process runs, so they are taken from helmet once instead of being
 * made again for each request (24 µs of CPU each). An answer of the API loads nothing and is
 * kept by no cache, unless its route says otherwise: nearly all of them are about people. The documentation loads its own
 * scripts, styles and calls, over plain http too, hence no `upgrade-insecure-requests`.
 */
export async function securityHeaders(): Promise<SecurityHeaders> {
  const source = fastify();
  await source.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  });
  const docs = {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'self'"],
      frameAncestors: ["'none'"],
    },
  };
  source.get('/api', (_request, reply) => reply.send());
  source.get('/docs', { helmet: { contentSecurityPolicy: docs } }, (_request, reply) => reply.send());
  const api = { ...(await headersOf(source, '/api')), 'cache-control': 'no-store' };
  const headers = { api, docs: await headersOf(source, '/docs') };
  await source.close();
  return headers;
}

async function headersOf(source: FastifyInstance, url: string): Promise<Headers> {
  const { headers } = await source.inject(url);
  const own = Object.entries(headers).filter(([name]) => !OF_HTTP_ITSELF.includes(name));
  return Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
}

/** Sets the headers on every answer before its handler does, errors and unknown routes included. */
export function registerSecurityHeaders(fastify: FastifyInstance, headers: SecurityHeaders): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith(DOCS_PATH) ? headers.docs : headers.api);
    done();
  });
}
