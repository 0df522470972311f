import gateway from 'fast-gateway';
import { addedHeaders, listen, serve } from '../told.mjs';

serve(({ upstream }) => {
  const service = gateway({
    routes: [
      {
        prefix: '',
        target: upstream,
        proxyConfig: { maxSockets: 128, maxFreeSockets: 128 },
        hooks: { rewriteRequestHeaders: (req, headers) => ({ ...headers, ...addedHeaders(req) }) },
      },
    ],
  });
  return listen(service.getServer());
});
