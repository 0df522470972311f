import proxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { addedHeaders, serve } from '../told.mjs';

serve(async ({ upstream }) => {
  const app = fastify({ logger: false });
  await app.register(proxy, {
    upstream,
    undici: { connections: 128, pipelining: 1 },
    replyOptions: { rewriteRequestHeaders: (request, headers) => ({ ...headers, ...addedHeaders(request.raw) }) },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
});
