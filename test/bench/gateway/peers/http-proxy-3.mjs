import http from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { addedHeaders, listen, serve } from '../told.mjs';

serve(({ upstream }) => {
  const proxy = createProxyServer({ target: upstream, agent: new http.Agent({ keepAlive: true, maxSockets: 128 }) });
  proxy.on('error', (_error, _req, res) => {
    if (res.headersSent) res.destroy();
    else res.writeHead(502).end();
  });
  return listen(http.createServer((req, res) => proxy.web(req, res, { headers: addedHeaders(req) })));
});
