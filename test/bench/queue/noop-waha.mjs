// A WAHA that sends nothing: it answers at once, counts what it is told to send, and knows when each was accepted by its text.
import { randomBytes } from 'node:crypto';
import http from 'node:http';

let seen = [];

const server = http.createServer((request, response) => {
  const path = request.url?.split('?')[0] ?? '';
  const answer = (body, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (path === '/api/server/version') return answer({ version: '2026.9.1', engine: 'GOWS', tier: 'PLUS' });
  if (path.endsWith('/new-message-id')) return answer({ id: randomBytes(10).toString('hex').toUpperCase() });
  if (request.method === 'GET') return answer([]);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const at = Date.now();
    const { text = '', chatId = '', id } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    seen.push([at, Number(text), chatId]);
    answer({ id: `true_${chatId}_${id ?? randomBytes(10).toString('hex')}` }, 201);
  });
});

/** Where the share of the sorted values lies. */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;

process.on('message', ({ what }) => {
  if (what === 'listen') return server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  if (what === 'forget') seen = [];
  const waits = seen.map(([at, accepted]) => at - accepted).sort((a, b) => a - b);
  const times = seen.map(([at]) => at);
  process.send({
    count: seen.length,
    seconds: seen.length > 1 ? (Math.max(...times.slice(-1)) - times[0]) / 1_000 : 0,
    p50Ms: quantile(waits, 0.5),
    p99Ms: quantile(waits, 0.99),
  });
});
