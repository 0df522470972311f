import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { recordTogether } from '../../platform/audit/audit-log';
import { auditRow, SYSTEM } from '../../platform/audit/audit-record';
import type { TenantDatabase } from '../../platform/database/tenant-database';

/** What the demo tenant sells, to whom, and what was ordered: JSON texts, as data/*.json say it. */
export interface DemoShop {
  products: string;
  customers: string;
  orders: string;
}

// What is there stays as it is, whatever people made of it; an order brings its items only when it is new itself.
const PRODUCTS = `
  insert into products (tenant_id, id, name, brand, category, price, stock, description, attributes)
  select $1::uuid, id, name, brand, category, price, stock, description, attributes
  from jsonb_to_recordset($2::jsonb) as p (id text, name text, brand text, category text, price numeric, stock integer,
    description text, attributes jsonb)
  order by id on conflict do nothing
  returning id, jsonb_build_object('name', name, 'price', price::text, 'stock', stock) as metadata`;

const CUSTOMERS = `
  insert into customers (tenant_id, id, email, name, tier, phone, address, tags)
  select $1::uuid, id, email, name, tier, phone, address, array(select jsonb_array_elements_text(tags))
  from jsonb_to_recordset($2::jsonb) as c (id text, email text, name text, tier text, phone text, address jsonb, tags jsonb)
  order by id on conflict do nothing returning id, '{}'::jsonb as metadata`;

const ORDERS = `
  with given as (
    select * from jsonb_to_recordset($2::jsonb) as o (id text, customer_id text, status text, total numeric, currency text,
      created_at timestamptz, items jsonb)),
  made as (
    insert into orders (tenant_id, id, customer_id, status, total, currency, created_at, updated_at)
    select $1::uuid, g.id, g.customer_id, g.status, g.total, g.currency, g.created_at, g.created_at
    from given g join customers c on c.tenant_id = $1 and c.id = g.customer_id
    order by g.id on conflict do nothing returning id, customer_id, total, currency),
  filled as (
  insert into order_items (tenant_id, order_id, position, product_id, name, quantity, unit_price)
  select $1::uuid, made.id, i.position, i.item->>'product_id', i.item->>'name', (i.item->>'quantity')::int,
    (i.item->>'unit_price')::numeric
  from made join given using (id), jsonb_array_elements(given.items) with ordinality as i (item, position))
  select id, jsonb_build_object('customer_id', customer_id, 'total', total::text, 'currency', currency) as metadata from made`;

const KINDS = [
  { of: 'products', text: PRODUCTS, action: 'PRODUCT_CREATED', kind: 'product' },
  { of: 'customers', text: CUSTOMERS, action: 'CUSTOMER_CREATED', kind: 'customer' },
  { of: 'orders', text: ORDERS, action: 'ORDER_CREATED', kind: 'order' },
] as const;

/** The shop that comes with the service: a dealer of watches. */
export async function readDemoShop(): Promise<DemoShop> {
  const folder = dataFolder(__dirname);
  const [products = '', customers = '', orders = ''] = await Promise.all(
    ['products', 'customers', 'orders'].map((name) => readFile(join(folder, `${name}.json`), 'utf8')),
  );
  return { products, customers, orders };
}

/** Puts what is missing of the shop into the tenant, each row on record. Running it again, or twice at once, changes nothing. */
export async function seedShop(db: TenantDatabase, tenantId: string, shop: DemoShop): Promise<void> {
  await db.transaction(tenantId, async (tx) => {
    for (const { of, text, action, kind } of KINDS) {
      const made = await tx.query<{ id: string; metadata: Record<string, unknown> }>(text, [tenantId, shop[of]]);
      const entries = made.map(({ id, metadata }) => ({ action, resource: `${kind}:${id}`, metadata }));
      await recordTogether(
        tx,
        entries.map((entry) => auditRow(tenantId, SYSTEM, entry)),
      );
    }
  });
}

/** The nearest folder `data` with products above: the sources and the build lie at different depths. */
function dataFolder(folder: string): string {
  const data = join(folder, 'data');
  if (existsSync(join(data, 'products.json'))) return data;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('data/products.json is missing beside the application');
  return dataFolder(parent);
}
