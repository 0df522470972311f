// What the service is measured against: bare Fastify and pg with hand-written statements, one for each request. No
// authentication, no validation, no row security (it works as the owner), no log, no metrics. Started by the bench with an
// IPC channel; the settings come as the first message, the port goes back.
import { createHmac, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';
import { v7 } from 'uuid';

const INSERT_MESSAGE = {
  name: 'insert_message',
  text: `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, content, metadata, created_by)
    values ($1, $2, $3, $4, 'outbound', 'text', 'queued', $5, $6, $7, $8) returning created_at`,
};

const INSERT_EVENT = {
  name: 'insert_event',
  text: `insert into webhook_events (tenant_id, session_id, event, event_id, body) values ($1, $2, $3, $4, $5)
    on conflict do nothing`,
};

const LIST_MESSAGES = {
  name: 'list_messages',
  text: `select id, session_id, chat, direction, type, status, body, content, metadata, created_by, author, source, wa_id,
      attempts, error_code, error, retryable, created_at, scheduled_at, expires_at, sent_at, delivered_at, read_at
    from messages where tenant_id = $1 order by id desc limit $2`,
};

const PRODUCT_COLUMNS = `id, name, brand, category, price, stock, description, image_file_id, attributes, created_at, updated_at`;

const FIND_PRODUCT = {
  name: 'find_product',
  text: `select ${PRODUCT_COLUMNS} from products where tenant_id = $1 and id = $2`,
};

const LIST_PRODUCTS = {
  name: 'list_products',
  text: `select ${PRODUCT_COLUMNS} from products where tenant_id = $1 and category = $2 order by price_key, id limit $3`,
};

const productOf = (row) => ({ ...row, price: Number(row.price) });

const answerOf = (row) => ({
  id: row.id,
  session_id: row.session_id,
  chat: row.chat,
  direction: row.direction,
  type: row.type,
  status: row.status,
  text: row.body,
  media: row.content.media ?? null,
  location: row.content.location ?? null,
  contact: row.content.contact ?? null,
  poll: row.content.poll ?? null,
  reply_to: row.content.quoted ?? null,
  author: row.author,
  source: row.source,
  created_by: row.created_by,
  attempts: row.attempts,
  error_code: row.error_code,
  error: row.error,
  retryable: row.retryable,
  metadata: row.metadata,
  created_at: row.created_at,
  scheduled_at: row.scheduled_at,
  expires_at: row.expires_at,
  sent_at: row.sent_at,
  delivered_at: row.delivered_at,
  read_at: row.read_at,
});

const FRESH = {
  ...{ direction: 'outbound', type: 'text', status: 'queued', author: null, source: 'api', wa_id: null, attempts: 0 },
  ...{ error_code: null, error: null, retryable: null, sent_at: null, delivered_at: null, read_at: null },
  ...{ scheduled_at: null, expires_at: null },
};

async function start({ databaseUrl, poolMax, sender, reader, webhook, profiles }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolMax });
  const app = Fastify();

  app.post('/messages/send', async (request, reply) => {
    const { to, text } = request.body;
    const chat = `${to.replace(/\D/g, '')}@c.us`;
    const message = { id: v7(), session_id: sender.sessionId, chat, body: text, content: {}, metadata: {} };
    const { id, content, metadata } = message;
    const values = [sender.tenantId, id, sender.sessionId, chat, text, content, metadata, sender.userId];
    const { rows } = await pool.query({ ...INSERT_MESSAGE, values });
    reply.code(202);
    return answerOf({ ...FRESH, ...message, created_by: sender.userId, created_at: rows[0].created_at });
  });

  app.get('/messages', async (request) => {
    const values = [reader.tenantId, Number(request.query.limit)];
    return (await pool.query({ ...LIST_MESSAGES, values })).rows.map(answerOf);
  });

  app.get('/products/:id', async (request) => {
    const values = [reader.tenantId, request.params.id];
    return productOf((await pool.query({ ...FIND_PRODUCT, values })).rows[0]);
  });

  app.get('/products', async (request) => {
    const values = [reader.tenantId, request.query.category, Number(request.query.limit)];
    return (await pool.query({ ...LIST_PRODUCTS, values })).rows.map(productOf);
  });

  // The same answer, by nobody checked and from nowhere looked up.
  app.get('/auth/profile', async (request) => (request.headers['x-api-key'] ? profiles.key : profiles.user));

  await app.register(async (raw) => {
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    raw.post('/webhooks/waha', async (request, reply) => {
      const expected = createHmac('sha512', webhook.secret).update(request.body).digest();
      const given = Buffer.from(String(request.headers['x-webhook-hmac']), 'hex');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return reply.code(401).send();
      const body = request.body.toString('utf8');
      const { id, event } = JSON.parse(body);
      const values = [webhook.tenantId, webhook.sessionId, event, id, body];
      const { rowCount } = await pool.query({ ...INSERT_EVENT, values });
      return { stored: rowCount === 1 };
    });
  });

  await app.listen({ port: 0, host: '127.0.0.1' });
  process.send({ port: app.server.address().port });
}

process.once('message', start);
process.once('disconnect', () => process.exit());
