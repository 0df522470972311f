import gateway from 'fast-gateway';
import { addedHeaders, listen, serve } from '../told.mjs';

serve(({ upstream }) => {
  const service = gateway({
    routes: [
      {
        prefix: '',
        target: upstream,
        proxyConfig: { maxSockets: 128, maxFreeSockets: 128 },
        hooks: {
          rewriteRequestHeaders: (req, headers) => ({ ...headers, ...addedHeaders(req) }),
          // Without it the connection of each answer that comes too late is lost, and after 128 of them nothing is answered.
          onClientConnectionTerminated: (_res, _error, answer) => answer?.stream.destroy(),
        },
      },
    ],
  });
  return listen(service.getServer());
});
