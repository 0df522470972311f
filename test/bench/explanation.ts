import { POOL_MAX } from './bed';
import type { Plan } from './measure';
import { LISTED_MESSAGES, LISTED_PRODUCTS } from './seed';

/** The words around the figures: what is compared, and what to know when reading them. */
export const explanation = (plan: Plan): { before: string; after: string } => ({
  before: `# Benchmarks\n\n${HOW_TO_RUN}\n\n${comparedIn(plan)}`,
  after: NOTES,
});

const HOW_TO_RUN = `\`npm run bench\` measures and writes this page; \`npm run bench -- --quick\` takes a minute, prints and writes nothing. It brings
its own PostgreSQL, needs nothing else, and leaves nothing behind. Run it on a machine that does nothing else. On a busy one not even
the ratios hold: with five times more work than cores the ratio of (c) was seen at 0.23
(collecting garbage was less than a tenth of it; code that V8 optimises late is the likely rest).`;

const comparedIn = ({ rounds, seconds, warmUpSeconds }: Plan): string => `## What is compared

The service as it is built (\`dist\`), one process with \`NODE_ENV=production\` and \`ROLE=api\`, everything on: authentication,
permissions, rate limits, validation, row security, metrics, security headers, and the access log (\`LOG_LEVEL=info\`, into a
file). The reference (\`test/bench/reference-server.mjs\`) is bare Fastify and pg in a process of its own with hand-written
prepared statements and none of that; it works as the owner of the tables, so without row security. Both have the same Node,
the same database with the same indexes and foreign keys, and pools of ${POOL_MAX} connections (in (a) the reference was tried
with 5, 20 and 40 as well: 20 was 2 % faster, which is within the noise, the others slower).

- **(a)** A text message is accepted: durable before the answer. The session is not connected, so that nothing is sent
  meanwhile. The reference inserts the same row with one statement for each request and answers the same fields. It does not
  put the message into a queue: the service also marks the session's lane as due, in the same statement.
- **(b)** An event of WAHA (\`message\`, some 860 bytes, a new id each) is verified by its HMAC-SHA512, stored once, durable before
  the answer. The reference does the same with \`insert … on conflict do nothing\`. Applying events is the workers' work and
  not part of it.
- **(c)** The newest 50 of ${LISTED_MESSAGES.toLocaleString('en')} messages. The reference runs the same query and renders the same fields. Nothing is measured
  before both have given the same answer; in (a) but for id and time. Nothing of it is cached.

- **(d), (e)** Who is calling: an access token, or an API key, is checked, its login or key asked for (cached for 5 s at most), the
  request counted where the plan says so, and the caller told of itself. The reference answers the same bytes and checks nothing.
- **(f)** A user changes its own name, 64 users in turns, against the same built service started with
  \`test/bench/without-audit.cjs\`, which records nothing: the difference is what the audit record costs.
- **(g)** One product, again and again: the service answers out of its cache (in memory, for there is no Redis here), and asks the
  database once a second. The reference asks it each time.
- **(h)** The 20 cheapest of one category, of ${LISTED_PRODUCTS.toLocaleString('en')} products. The reference runs the same query over the same index.
  Nothing of it is cached. That a page costs the same of 1,000 products and of many more is asserted in
  \`test/database/product-scale.spec.ts\`.

The load comes from a third process over keep-alive connections, each with one request at a time; requests are made and signed
before the clock starts. Service and reference take turns (${rounds} rounds of ${seconds} s each after ${warmUpSeconds} s of warm-up, first one first, then the
other), so that what else happens on the machine meets both. Figures are medians over the rounds; the ratio is the median of
the rounds' ratios, with the lowest and the highest. Latencies are seen by the client. CPU is user and system time for each
request: of the server's process with all its threads, and of PostgreSQL with all its processes. One answer that is not 2xx
fails the run.`;

const NOTES = `## What limits them

All processes share the machine's cores: what PostgreSQL does not need, the servers get.

- At 64 connections (a) and (b) beat the reference because of group commit: rows that arrive while a statement is on its way
  travel together on the next one, so that many requests share one commit. The reference pays PostgreSQL for a statement and
  a commit each. What is left is Node's one thread: HTTP itself, the access log (a tenth), and in (a) reading the telephone
  number (a tenth) and validation.
- At one connection there is nothing to share, and (a) and (b) are slower than the reference: about half and two thirds of
  its requests per second. PostgreSQL works more for each request, in (a) also on the lane's row. Why the service's process
  itself needs two to three times the CPU there, and at 64 connections does not, has not been found out.
- (c) has no such help. Both spend most of their time on turning 50 rows into objects and those into JSON; the rest of the
  difference is row security (one more statement in the same round trip), the row that tells whether there is a next page,
  the log, and the framework.
- Memory: V8 lets its young generation grow to some 50 MB while the modules load; it is given back once, just before the
  service listens, and grows again under load. Of source maps only our own are read (those of all libraries would keep 40 MB).`;
