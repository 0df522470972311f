import { readFileSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { hash } from 'bcrypt';
import { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { secretContext } from '../../src/modules/waha/session-secret';
import { SecretBox } from '../../src/platform/crypto/secret-box';

/** A tenant with one user and one session. */
export interface Customer {
  tenantId: string;
  userId: string;
  sessionId: string;
  wahaName: string;
  email: string;
  password: string;
  /** Signs the session's webhooks. */
  secret: string;
}

/** Messages that the tenant has whose messages are listed. */
export const LISTED_MESSAGES = 10_000;

/** Products of the same tenant, and one of them. */
export const LISTED_PRODUCTS = 10_000;
export const LISTED_PRODUCT = 'prod_00042';

const FIXTURE = path.join(__dirname, '../fixtures/waha/message--text.json');
const ID_PLACEHOLDER = 'evt_01m7x3qjka5jenfs8402meyfw3';

/** Seeds the tenants of the comparisons into a migrated database. */
export async function seed(ownerUrl: string, encryptionKey: string) {
  const owner = new Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    const customers = {
      sender: await addCustomer(owner, encryptionKey),
      reader: await addCustomer(owner, encryptionKey),
      webhook: await addCustomer(owner, encryptionKey),
    };
    const writers = await addUsers(owner, customers.reader.tenantId);
    await addMessages(owner, customers.reader);
    await addProducts(owner, customers.reader);
    await owner.query('analyze');
    return { ...customers, writers };
  } finally {
    await owner.end();
  }
}

export type Customers = Awaited<ReturnType<typeof seed>>;

/** A real event of WAHA for the customer's session, and what in it must be another in each request. */
export function webhookBody({ wahaName }: Customer): { body: string; placeholder: string } {
  const event = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Record<string, unknown>;
  return { body: JSON.stringify({ ...event, id: ID_PLACEHOLDER, session: wahaName }), placeholder: ID_PLACEHOLDER };
}

async function addCustomer(owner: Client, encryptionKey: string): Promise<Customer> {
  const [tenantId, userId, sessionId, serverId] = [newId(), newId(), newId(), newId()];
  const [email, password, secret] = [
    `${userId}@acme.example`,
    `password of ${userId}`,
    randomBytes(32).toString('hex'),
  ];
  const wahaName = `bench-${sessionId}`;
  const box = new SecretBox([Buffer.from(encryptionKey, 'base64')]);
  await owner.query('insert into tenants (id, slug, name) values ($1, $2, $3)', [tenantId, `acme-${tenantId}`, 'Acme']);
  await owner.query(
    `insert into users (tenant_id, id, email, name, role, password_hash) values ($1, $2, $3, 'Bench', 'TENANT_ADMIN', $4)`,
    [tenantId, userId, email, await hash(password, 4)],
  );
  await owner.query('insert into waha_servers (id, base_url) values ($1, $2)', [
    serverId,
    `http://127.0.0.1:9/${serverId}`,
  ]);
  await owner.query(
    `insert into sessions (tenant_id, id, server_id, name, waha_name, webhook_secret) values ($1, $2, $3, 'main', $4, $5)`,
    [tenantId, sessionId, serverId, wahaName, box.seal(secret, secretContext(sessionId))],
  );
  // Parked, as of a session that is not connected: messages are taken in and none is sent.
  await owner.query(
    `insert into lanes (tenant_id, session_id, server_id, state, per_minute, burst, jitter_ms, tokens)
      values ($1, $2, $3, 'parked', 60, 1, 0, 1)`,
    [tenantId, sessionId, serverId],
  );
  return { tenantId, userId, sessionId, wahaName, email, password, secret };
}

/** Users beside the customers' own, so that writers at once need not wait for each other's row. */
const WRITERS = 64;

async function addUsers(owner: Client, tenantId: string): Promise<{ email: string; password: string }[]> {
  const password = randomBytes(12).toString('hex');
  const ids = Array.from({ length: WRITERS }, newId);
  await owner.query(
    `insert into users (tenant_id, id, email, name, role, password_hash)
      select $1, id, id || '@acme.example', 'Bench', 'MANAGER', $3 from unnest($2::uuid[]) as g(id)`,
    [tenantId, ids, await hash(password, 4)],
  );
  return ids.map((id) => ({ email: `${id}@acme.example`, password }));
}

async function addMessages(owner: Client, { tenantId, sessionId, userId }: Customer): Promise<void> {
  const ids = Array.from({ length: LISTED_MESSAGES }, newId);
  await owner.query(
    `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, created_by, wa_id, attempts,
        sent_at, delivered_at)
      select $1, id, $2, (447700900000 + n % 100)::text || '@c.us', 'outbound', 'text', 'delivered',
        'Your order ' || n || ' is ready and can be picked up until six this evening.', $3, 'BENCH' || n, 1, now(), now()
      from unnest($4::uuid[]) with ordinality as g(id, n)`,
    [tenantId, sessionId, userId, ids],
  );
}

async function addProducts(owner: Client, { tenantId }: Customer): Promise<void> {
  await owner.query(
    `insert into products (tenant_id, id, name, brand, category, price, stock, description, attributes)
      select $1, 'prod_' || lpad(n::text, 5, '0'), 'Chronometer ' || n, (array['Rolex', 'Omega', 'Cartier'])[1 + n % 3],
        (array['sport', 'dress'])[1 + n % 2], n % 997 * 10.25, n % 20, 'A watch of steel with an automatic movement.',
        '{"case_mm": 41}'
      from generate_series(1, $2::int) n`,
    [tenantId, LISTED_PRODUCTS],
  );
}
