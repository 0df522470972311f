// Behind all the proxies where nginx is not installed: the same two files and one answer to a POST. Behind nginx too, for
// the one question that nginx cannot answer: what of the request has arrived.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { listen, serve } from './told.mjs';

/** The whole of a request's body, chunk by chunk. */
const read = (req, each) =>
  new Promise((resolve, reject) => {
    req.on('data', each).once('end', resolve).once('error', reject);
  });

async function echo(req, res) {
  const hash = createHash('sha256');
  await read(req, (chunk) => hash.update(chunk));
  const seen = JSON.stringify({ method: req.method, path: req.url, headers: req.headers, sha256: hash.digest('hex') });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(seen) }).end(seen);
}

/** Two ports in one process, as nginx has them: a gateway balances over both. */
serve(async ({ files, posted, echoPath }) => {
  const contents = new Map(Object.entries(files).map(([path, file]) => [path, readFileSync(file)]));
  const answer = async (req, res) => {
    const [path] = req.url.split('?'); // fast-gateway puts a question mark after every path
    if (path === echoPath) return echo(req, res);
    await read(req, () => undefined);
    const content = req.method === 'POST' ? Buffer.from(posted.body) : contents.get(path);
    if (!content || (req.method === 'POST' && path !== posted.path)) return res.writeHead(404).end();
    res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length }).end(content);
  };
  const server = () =>
    http.createServer({ keepAliveTimeout: 3_600_000 }, (req, res) => {
      req.headers['x-listener'] ??= String(req.socket.localPort);
      answer(req, res).catch(() => res.destroy());
    });
  return [await listen(server()), await listen(server())];
});
