// The floor of the runtime: node:http in front, undici's Pool.dispatch behind, one handler between. It asks for no key,
// matches no route and counts nothing, but it streams as a proxy must: slow readers hold back the upstream, a client that
// goes away ends the upstream's work, and headers of one connection stay there.
import http from 'node:http';
import { Pool } from 'undici';
import { addedHeaders, listen, serve } from './told.mjs';

const UPSTREAM_CONNECTIONS = 128;
const HOP_BY_HOP = new Set(
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);
const NOT_SENT_ON = new Set([
  ...HOP_BY_HOP,
  ...['host', 'expect', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id'],
]);

/** Headers that a `Connection` header names, beside those that always belong to one connection. */
const namedBy = (connection) =>
  !connection || /^(keep-alive|close)$/i.test(connection)
    ? null
    : new Set(
        String(connection)
          .toLowerCase()
          .split(/\s*,\s*/),
      );

function requestHeaders(req) {
  const named = namedBy(req.headers.connection);
  const headers = [];
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    const name = req.rawHeaders[at].toLowerCase();
    if (!NOT_SENT_ON.has(name) && !named?.has(name)) headers.push(name, req.rawHeaders[at + 1]);
  }
  const added = addedHeaders(req);
  for (const name in added) headers.push(name, added[name]);
  return headers;
}

function answerHeaders(received) {
  const named = namedBy(received.connection);
  const headers = [];
  for (const name in received) if (!HOP_BY_HOP.has(name) && !named?.has(name)) headers.push(name, received[name]);
  return headers;
}

/** One request on its way up and its answer on its way down. */
class Exchange {
  constructor(res) {
    this.res = res;
    this.controller = null;
    res.once('close', () => {
      if (!res.writableFinished) this.controller?.abort(new Error('The client went away'));
    });
  }

  onRequestStart(controller) {
    this.controller = controller;
    if (this.res.closed) controller.abort(new Error('The client went away'));
  }

  onResponseStart(_controller, status, headers, statusText) {
    if (status >= 200) this.res.writeHead(status, statusText, answerHeaders(headers));
  }

  onResponseData(controller, chunk) {
    if (this.res.write(chunk)) return;
    controller.pause();
    this.res.once('drain', () => controller.resume());
  }

  onResponseEnd() {
    this.res.end();
  }

  onResponseError() {
    if (this.res.headersSent) this.res.destroy();
    else this.res.writeHead(502, { 'content-length': '0' }).end();
  }
}

const hasBody = ({ headers }) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

serve(({ upstream }) => {
  const pool = new Pool(upstream, { connections: UPSTREAM_CONNECTIONS, pipelining: 1 });
  const server = http.createServer((req, res) => {
    const { url: path, method } = req;
    const body = hasBody(req) ? req : null;
    pool.dispatch({ path, method, headers: requestHeaders(req), body }, new Exchange(res));
  });
  return listen(server);
});
