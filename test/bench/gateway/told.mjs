// What the servers of this bench have in common: they are forked, told where things are, and say which port they took.

/**
 * Waits for the one message, starts by it, and answers with the port, or with why there is none. Ends with the bench.
 * @param start given what the message says; gives the port
 */
export function serve(start) {
  process.once('message', async (told) => {
    try {
      process.send({ port: await start(told) });
    } catch (error) {
      process.send({ error: String(error?.stack ?? error) });
    }
  });
  process.once('disconnect', () => process.exit());
}

/** Listens on a free port of this machine alone. */
export const listen = (server) =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server.address().port));
  });

const PROCESS_PREFIX = `${Date.now().toString(36)}-`;
let requests = 0;

/** What every proxy here says of a request beside what the client said: the same four headers, made at the same cost. */
export const addedHeaders = (req) => ({
  'x-forwarded-for': req.socket.remoteAddress,
  'x-forwarded-proto': 'http',
  'x-forwarded-host': req.headers.host,
  'x-request-id': PROCESS_PREFIX + (requests += 1).toString(36),
});
