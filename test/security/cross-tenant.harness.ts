import { newId } from '../../src/common/ids';
import { makeKey } from '../support/api-keys';
import type { TestSession } from '../support/factories';
import { upload } from '../support/files';
import { makeRoute } from '../support/gateway-routes';
import { placeOrder, Shop } from '../support/orders';
import { makeProduct } from '../support/products';
import type { LoggedIn, TestApp } from '../support/running-app';
import { makeTemplate } from '../support/templates';

/** A tenant with one of each that has an id; what is said in them is a secret. */
export interface Victim {
  tenantId: string;
  admin: LoggedIn;
  session: TestSession;
  message: string;
  event: string;
  key: string;
  login: string;
  template: string;
  file: string;
  campaign: string;
  product: string;
  customer: string;
  order: string;
  import: string;
  route: string;
}

/** An order of a customer whose name is a secret. */
async function makeOrder(app: TestApp, { tenantId, http }: LoggedIn): Promise<string> {
  const shop = new Shop(app.owner, tenantId);
  const [customer_id, product_id] = [await shop.customer({ name: 'a secret of the victim' }), await shop.product()];
  return (await placeOrder(http, { customer_id, items: [{ product_id, quantity: 1 }] })).id;
}

async function makeCampaign(app: TestApp, tenantId: string, userId: string): Promise<string> {
  const id = newId();
  await app.owner.query(
    `insert into campaigns (tenant_id, id, name, status, type, content, metadata, created_by)
      values ($1, $2, 'a secret of the victim', 'scheduled', 'text', '{}', '{}', $3)`,
    [tenantId, id, userId],
  );
  return id;
}

/** An import that has ended, with a row that was refused; and a row of each of what can be exported. */
async function makeImport(app: TestApp, tenantId: string, userId: string): Promise<string> {
  const id = newId();
  await app.owner.query(
    `insert into imports (tenant_id, id, kind, format, status, actor_kind, actor_id, size_bytes, read, refused, finished_at)
      values ($1, $2, 'products', 'csv', 'finished', 'user', $3, 1, 1, 1, now())`,
    [tenantId, id, userId],
  );
  await app.owner.query(
    `insert into import_errors (tenant_id, import_id, line, reason) values ($1, $2, 2, 'a secret of the victim')`,
    [tenantId, id],
  );
  for (const text of [
    `insert into products (tenant_id, id, name, price) values ($1, 'secret', 'a secret of the victim', 1)`,
    `insert into customers (tenant_id, id, name) values ($1, 'secret', 'a secret of the victim')`,
    `insert into orders (tenant_id, id, customer_id, total, currency) values ($1, 'a secret of the victim', 'secret', 1, 'EUR')`,
  ])
    await app.owner.query(text, [tenantId]);
  return id;
}

/** The application's own tenant becomes the victim. */
export async function makeVictim(app: TestApp): Promise<Victim> {
  const admin = await app.login('TENANT_ADMIN');
  const session = await app.make.session(app.tenantId, { status: 'SCAN_QR_CODE' });
  const message = await app.make.message(session, { status: 'failed', body: 'a secret of the victim' });
  const stored = await app.owner.query<{ id: string }>(
    `insert into webhook_events (tenant_id, session_id, event, event_id, status, body)
      values ($1, $2, 'message', 'evt_1', 'failed', '{"text":"a secret of the victim"}') returning id`,
    [app.tenantId, session.id],
  );
  const event = stored.rows[0]?.id ?? '';
  const { id: key } = await makeKey(app, admin.http, { role: 'AUDITOR' });
  const { id: file } = await upload(admin.http, 'a secret of the victim', 'a secret of the victim.txt');
  const { id: template } = await makeTemplate(admin.http, 'a secret of the victim {{x}}');
  const { id: product } = await makeProduct(admin.http, { name: 'a secret of the victim' });
  const [login] = (await admin.http.get<{ id: string }[]>('/auth/sessions')).body;
  const campaign = await makeCampaign(app, app.tenantId, admin.userId);
  const customer = 'cust_of_the_victim';
  const secret = {
    id: customer,
    name: 'a secret of the victim',
    email: 'buyer@victim.example',
    phone: '+442079460958',
  };
  const { outcome, status } = await admin.http.post('/customers', secret);
  if (status !== 201) throw new Error(`Making a customer gave ${outcome}`);
  const own = { tenantId: app.tenantId, admin, session, message, event, key, login: login?.id ?? '', template };
  const { id: route } = await makeRoute(admin.http, { path: '/secret', rewrite: '/a-secret-of-the-victim' });
  const imported = await makeImport(app, app.tenantId, admin.userId);
  return { ...own, file, campaign, customer, product, order: await makeOrder(app, admin), import: imported, route };
}

/** What of the victim a route's id may name. Links are signed: the id of a file or a message opens none. */
const IDS: Record<string, (victim: Victim) => string> = {
  '/waha/sessions/': ({ session }) => session.id,
  '/messages/': ({ message }) => message,
  '/files/': ({ file }) => file,
  '/templates/': ({ template }) => template,
  '/products/': ({ product }) => product,
  '/imports/': (victim) => victim.import,
  '/campaigns/': ({ campaign }) => campaign,
  '/customers/': ({ customer }) => customer,
  '/orders/': ({ order }) => order,
  '/gateway/routes/': ({ route }) => route,
  '/webhooks/events/': ({ event }) => event,
  '/media/': ({ message }) => message,
  '/users/': ({ admin }) => admin.userId,
  '/api-keys/': ({ key }) => key,
  '/auth/sessions/': ({ login }) => login,
  '/tenants/': ({ tenantId }) => tenantId,
  '/waha/servers/': ({ tenantId }) => tenantId,
};

/** An id of the victim for each resource that has routes; a new one must be named here, or the test says so. */
export function idFor(route: string, victim: Victim): string {
  const [, id] = Object.entries(IDS).find(([prefix]) => route.includes(` ${prefix}`)) ?? [];
  if (!id) throw new Error(`${route} has an id and this test knows no object of another tenant for it: make one`);
  return id(victim);
}
