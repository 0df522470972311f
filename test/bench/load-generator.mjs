// Makes the load, in a process of its own: HTTP/1.1 over plain sockets with keep-alive, each connection sends its next
// request when its last one is answered. Cheaper than any HTTP client, so that the servers get what the machine has.
import { createHmac } from 'node:crypto';
import net from 'node:net';
import { performance } from 'node:perf_hooks';

const HEAD_END = Buffer.from('\r\n\r\n');

/** The bytes of each request, made before the clock starts. */
function requestsOf({ method, path, headers = {}, body, variants, signed }, count) {
  const head = { host: '127.0.0.1', ...headers };
  const bytes = (text = '', more = {}) => {
    const lines = Object.entries({ ...head, ...more }).map(([name, value]) => `${name}: ${value}\r\n`);
    if (text) lines.push(`content-length: ${Buffer.byteLength(text)}\r\n`);
    return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`);
  };
  if (variants) return variants.map((more) => bytes(body, more));
  if (!signed) return [bytes(body)];
  return Array.from({ length: count }, (_, index) => {
    const text = body.replaceAll(signed.placeholder, `${signed.prefix}${String(index).padStart(8, '0')}`);
    return bytes(text, { 'x-webhook-hmac': createHmac('sha512', signed.secret).update(text).digest('hex') });
  });
}

/** One connection: `next` gives the bytes to send, or null at the end; `answered` learns status and milliseconds. */
function connection(port, { next, answered }) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    let missing = 0; // bytes of the answer still to come, once its head is there
    let status = 0;
    let pending = null; // a head that came in pieces
    let finished = false;
    const send = () => {
      const bytes = next();
      finished = !bytes;
      if (!bytes) return socket.end();
      sentAt = performance.now();
      socket.write(bytes);
    };
    const done = () => {
      answered(status, performance.now() - sentAt);
      send();
    };
    const head = (chunk) => {
      const data = pending ? Buffer.concat([pending, chunk]) : chunk;
      const end = data.indexOf(HEAD_END);
      if (end < 0) {
        pending = data;
        return;
      }
      pending = null;
      const text = data.latin1Slice(0, end);
      status = Number(text.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (length === undefined) throw new Error(`An answer without a length:\n${text}`);
      missing = Number(length) - (data.length - end - 4);
      if (missing === 0) done();
    };
    socket.on('data', (chunk) => {
      try {
        if (missing === 0) return head(chunk);
        missing -= chunk.length;
        if (missing === 0) done();
        else if (missing < 0) throw new Error('An answer longer than it says');
      } catch (error) {
        socket.destroy(error);
      }
    });
    socket
      .once('connect', send)
      .once('error', reject)
      .once('close', () => {
        if (finished) resolve();
        else reject(new Error('The server closed a connection'));
      });
  });
}

async function run({ port, connections, seconds, request, atMost }) {
  const requests = requestsOf(request, atMost);
  const latencies = [];
  const failures = {};
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  let sent = 0;
  const next = () => {
    if (performance.now() >= until || (request.signed && sent === requests.length)) return null;
    return requests[sent++ % requests.length];
  };
  const answered = (status, ms) => {
    latencies.push(ms);
    if (status < 200 || status > 299) failures[status] = (failures[status] ?? 0) + 1;
  };
  await Promise.all(Array.from({ length: connections }, () => connection(port, { next, answered })));
  const elapsedS = (performance.now() - startedAt) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { requests: latencies.length, elapsedS, failures, p50Ms: at(0.5), p99Ms: at(0.99) };
}

process.on('message', async (order) => {
  try {
    process.send({ result: await run(order) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.once('disconnect', () => process.exit());
