import type { MigrationInterface, QueryRunner } from 'typeorm';

// Money is numeric(19,4): no currency has more places, and no total of a business more digits. How long texts may be is the
// API's to say: it counts characters in another way.
const UP = [
  `
    create table products (
      tenant_id uuid not null,
      id text not null,
      name text not null,
      brand text,
      category text,
      price numeric(19,4) not null,
      stock integer not null default 0,
      description text,
      image_file_id uuid,
      attributes jsonb not null default '{}',
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint products_pk primary key (tenant_id, id),
      constraint products_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade,
      constraint products_price_check check (price >= 0),
      constraint products_stock_check check (stock >= 0)
    )`,
  `create index products_created_idx on products (tenant_id, created_at, id)`,
  `create index products_price_idx on products (tenant_id, price, id)`,
  `create index products_name_idx on products (tenant_id, name, id)`,
  `
    create table customers (
      tenant_id uuid not null,
      id text not null,
      email text,
      name text,
      tier text,
      phone text,
      address jsonb,
      tags text[] not null default '{}',
      anonymised_at timestamptz,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint customers_pk primary key (tenant_id, id),
      constraint customers_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  `create unique index customers_email_key on customers (tenant_id, lower(email))`,
  `create unique index customers_phone_key on customers (tenant_id, phone)`,
  `create index customers_created_idx on customers (tenant_id, created_at, id)`,
  `
    create table orders (
      tenant_id uuid not null,
      id text not null,
      customer_id text not null,
      status text not null default 'pending',
      total numeric(19,4) not null,
      currency text not null,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint orders_pk primary key (tenant_id, id),
      constraint orders_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade,
      constraint orders_customer_fk foreign key (tenant_id, customer_id) references customers (tenant_id, id),
      constraint orders_status_check check (status in ('pending', 'completed', 'cancelled')),
      constraint orders_total_check check (total >= 0)
    )`,
  // What customers spent is read from this index alone.
  `create index orders_customer_idx on orders (tenant_id, customer_id, created_at, id) include (status, total)`,
  `create index orders_created_idx on orders (tenant_id, created_at, id)`,
  `create index orders_status_idx on orders (tenant_id, status, created_at, id)`,
  `
    create table order_items (
      tenant_id uuid not null,
      order_id text not null,
      position smallint not null,
      product_id text not null,
      name text not null,
      quantity integer not null,
      unit_price numeric(19,4) not null,
      constraint order_items_pk primary key (tenant_id, order_id, position),
      constraint order_items_order_fk foreign key (tenant_id, order_id) references orders (tenant_id, id) on delete cascade,
      constraint order_items_quantity_check check (quantity > 0),
      constraint order_items_price_check check (unit_price >= 0)
    )`,
];

/** Products, customers and orders. An order's item keeps what the product was called and cost: the product may go. */
export class CreateCommerce1790003000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of ['order_items', 'orders', 'customers', 'products']) await q.query(`drop table ${table}`);
  }
}
