import { Injectable } from '@nestjs/common';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import type { VipThresholds } from '../tenants/tenants.service';
import {
  type CustomerFields,
  customerColumns,
  type CustomerRow,
  SPENT,
  type StoredCustomer,
  STORED,
} from './customer-row';

/** A customer to be stored. */
export interface NewCustomer extends CustomerFields {
  id: string;
  /** Of the request that makes it, where that can be repeated. */
  creationId: string | null;
}

const INSERT = audited(
  `insert into customers as c (tenant_id, id, email, name, tier, phone, address, tags, creation_id)
    values ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::jsonb, $8::text[], $9::uuid)
    on conflict (tenant_id, id) do nothing returning ${STORED}`,
  9,
);

const FIND = `select ${customerColumns(3, 4)} from customers c cross join ${SPENT} where c.tenant_id = $1 and c.id = $2`;

const UPDATE = `
  update customers set email = $3, name = $4, tier = $5, phone = $6, address = $7::jsonb, tags = $8, version = version + 1,
    updated_at = now() where tenant_id = $1 and id = $2`;

const ANONYMISE = `
  update customers set email = null, name = null, phone = null, address = null, tags = '{}', anonymised_at = now(),
    version = version + 1, updated_at = now() where tenant_id = $1 and id = $2`;

/** The queries on single customers. */
@Injectable()
export class CustomersRepository {
  constructor(private readonly db: TenantDatabase) {}

  /**
   * Stores the customer and the record of it; false where there is one of that id. Breaks customers_email_key and
   * customers_phone_key.
   */
  async insert(tenantId: string, customer: NewCustomer, record: AuditRow): Promise<boolean> {
    const { id, creationId } = customer;
    const params = [tenantId, id, ...valuesOf(customer), creationId, ...record];
    return (await this.db.query(tenantId, INSERT, params)).length > 0;
  }

  /** Null when there is none. */
  async findById(tenantId: string, id: string, { silver, gold }: VipThresholds): Promise<CustomerRow | null> {
    const [row] = await this.db.query<CustomerRow>(tenantId, FIND, [tenantId, id, silver, gold]);
    return row ?? null;
  }

  /** Whether there is such a customer. */
  async exists(tenantId: string, id: string): Promise<boolean> {
    const text = `select from customers where tenant_id = $1 and id = $2`;
    return (await this.db.query(tenantId, text, [tenantId, id])).length > 0;
  }

  /** The customer, held for this transaction while orders of it can be made; null when there is none. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<StoredCustomer | null> {
    const text = `select ${STORED} from customers c where c.tenant_id = $1 and c.id = $2 for no key update`;
    const [row] = await tx.query<StoredCustomer>(text, [tenantId, id]);
    return row ?? null;
  }

  /** The same, held also against new orders: an order's foreign key waits until this transaction has ended. */
  async lockForRemoval(tx: TenantTransaction, tenantId: string, id: string): Promise<StoredCustomer | null> {
    const text = `select ${STORED} from customers c where c.tenant_id = $1 and c.id = $2 for update`;
    const [row] = await tx.query<StoredCustomer>(text, [tenantId, id]);
    return row ?? null;
  }

  /** Whether a customer that is held for removal has orders. */
  async hasOrders(tx: TenantTransaction, tenantId: string, id: string): Promise<boolean> {
    const text = `select from orders where tenant_id = $1 and customer_id = $2 limit 1`;
    return (await tx.query(text, [tenantId, id])).length > 0;
  }

  /** Writes all that people say of a customer that is held. Breaks customers_email_key and customers_phone_key. */
  async update(
    tx: TenantTransaction,
    tenantId: string,
    customer: StoredCustomer,
    { silver, gold }: VipThresholds,
  ): Promise<CustomerRow> {
    const { id } = customer;
    await tx.query(UPDATE, [tenantId, id, ...valuesOf(customer)]);
    const [row] = await tx.query<CustomerRow>(FIND, [tenantId, id, silver, gold]);
    if (!row) throw new Error('A customer that was held is gone');
    return row;
  }

  /** Takes all that names a customer that is held for removal. */
  async anonymise(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(ANONYMISE, [tenantId, id]);
  }

  /** Drops a customer that is held for removal and has no orders. */
  async remove(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from customers where tenant_id = $1 and id = $2`, [tenantId, id]);
  }
}

const valuesOf = ({ email, name, tier, phone, address, tags }: CustomerFields): unknown[] => [
  email,
  name,
  tier,
  phone,
  address === null ? null : JSON.stringify(address),
  tags,
];
