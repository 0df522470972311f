import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // Of the request with an Idempotency-Key that made it: a repeated one finds its own customer, whoever chose the id.
  `alter table customers add column creation_id uuid`,
  // Emails are stored in one spelling. Of an expression no index is used behind row security: lower() may leak what it sees.
  `drop index customers_email_key`,
  `create unique index customers_email_key on customers (tenant_id, email)`,
  `create index customers_tier_idx on customers (tenant_id, tier, created_at, id) where tier is not null`,
  // What was anonymised stays so, whatever writes the row.
  `alter table customers add constraint customers_anonymised_check check (anonymised_at is null
    or (email is null and name is null and phone is null and address is null and tags = '{}'))`,
];

const DOWN = [
  `alter table customers drop constraint customers_anonymised_check`,
  `drop index customers_tier_idx`,
  `drop index customers_email_key`,
  `create unique index customers_email_key on customers (tenant_id, lower(email))`,
  `alter table customers drop column creation_id`,
];

/** Customers: found by email and tier behind row security, made once by a repeated request, and anonymised for good. */
export class ShapeCustomers1790003400000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
