import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { textIdOf } from '../../common/ids';
import { countedPage, type Page, type PageRequest } from '../../common/paging';
import { pageByTime } from '../../common/time-cursor';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { assertVersion, type ExpectedVersions, versionOf } from '../../platform/http/etag';
import { TenantsService } from '../tenants/tenants.service';
import { type CustomerFilter, CustomerListsRepository } from './customer-lists.repository';
import type { CustomerFields, CustomerRow, StoredCustomer } from './customer-row';
import { CustomerErrors, refusalOf } from './customers.errors';
import { CustomersRepository } from './customers.repository';

const FIELDS = ['email', 'name', 'tier', 'phone', 'address', 'tags'] as const satisfies (keyof CustomerFields)[];
const EMPTY: CustomerFields = { email: null, name: null, tier: null, phone: null, address: null, tags: [] };

/**
 * Who buys. The audit trail says which customer was changed by whom, and never what it is called: it outlives the customer, who
 * may be anonymised.
 */
@Injectable()
export class CustomersService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly customers: CustomersRepository,
    private readonly lists: CustomerListsRepository,
    private readonly tenants: TenantsService,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Makes a customer, of the caller's id or of one of ours. With an idempotency key a repeated call finds the first one's.
   * @throws VALIDATION_FAILED for one without name, email and phone, CUSTOMER_ID_TAKEN, CUSTOMER_EMAIL_TAKEN, CUSTOMER_PHONE_TAKEN
   */
  async create(actor: Actor, chosen: string | undefined, fields: Partial<CustomerFields>): Promise<CustomerRow> {
    const creationId = currentContext()?.resourceId ?? null;
    const id = chosen ?? textIdOf('cust', creationId ?? undefined);
    const record = this.audit.row(actor, { action: 'CUSTOMER_CREATED', resource: resourceOf(id) });
    const customer = { ...EMPTY, ...fields, id, creationId };
    requireNamed(customer);
    try {
      const made = await rerun(() => this.customers.insert(actor.tenantId, customer, record));
      const row = await this.get(actor, id);
      if (made || (creationId !== null && row.creation_id === creationId)) return row;
    } catch (error) {
      throw refusalOf(error);
    }
    throw CustomerErrors.idTaken();
  }

  /** Newest first. */
  async list(actor: Actor, filter: CustomerFilter, page: PageRequest): Promise<Page<CustomerRow>> {
    const { tenantId } = actor;
    const thresholds = await this.tenants.vipThresholdsOf(actor);
    return countedPage(
      page,
      this.lists.list(tenantId, filter, thresholds, page),
      (cap) => this.lists.count(tenantId, filter, thresholds, cap),
      pageByTime,
    );
  }

  /** @throws NOT_FOUND where there is no such customer */
  async assertExists({ tenantId }: Actor, id: string): Promise<void> {
    if (!(await this.customers.exists(tenantId, id))) throw CustomerErrors.notFound();
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<CustomerRow> {
    const thresholds = await this.tenants.vipThresholdsOf(actor);
    return found(await this.customers.findById(actor.tenantId, id, thresholds));
  }

  /**
   * Changes what is named; what changes nothing leaves no trace.
   * @throws NOT_FOUND, PRECONDITION_FAILED, CUSTOMER_ANONYMISED, CUSTOMER_EMAIL_TAKEN, CUSTOMER_PHONE_TAKEN,
   * VALIDATION_FAILED for what leaves neither name, email nor phone
   */
  async update(
    actor: Actor,
    id: string,
    change: Partial<CustomerFields>,
    expected: ExpectedVersions,
  ): Promise<CustomerRow> {
    const thresholds = await this.tenants.vipThresholdsOf(actor);
    const work = async (tx: TenantTransaction): Promise<CustomerRow | null> => {
      const before = found(await this.customers.lockById(tx, actor.tenantId, id));
      assertVersion(expected, versionOf(before));
      if (before.anonymised_at) throw CustomerErrors.anonymised();
      const after = { ...before, ...change };
      const changed = FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]));
      if (changed.length === 0) return null;
      requireNamed(after);
      const entry = { action: 'CUSTOMER_UPDATED', resource: resourceOf(id), metadata: { changed } } as const;
      await this.audit.record(tx, actor, entry);
      return this.customers.update(tx, actor.tenantId, after, thresholds);
    };
    try {
      // Two that take each other's email or phone wait for each other: the database ends one, which then looks again.
      return (await rerun(() => this.db.transaction(actor.tenantId, work))) ?? (await this.get(actor, id));
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /**
   * Removes it. One with orders is anonymised, since these stay: all that names it is gone for good. Of an order that is made at
   * this moment either the order is first, or it finds the customer gone.
   * @throws NOT_FOUND, PRECONDITION_FAILED
   */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    const { tenantId } = actor;
    await this.db.transaction(tenantId, async (tx) => {
      const before = found(await this.customers.lockForRemoval(tx, tenantId, id));
      assertVersion(expected, versionOf(before));
      const anonymised = await this.customers.hasOrders(tx, tenantId, id);
      if (anonymised && before.anonymised_at) return;
      const entry = { action: 'CUSTOMER_DELETED', resource: resourceOf(id), metadata: { anonymised } } as const;
      await this.audit.record(tx, actor, entry);
      await (anonymised ? this.customers.anonymise(tx, tenantId, id) : this.customers.remove(tx, tenantId, id));
    });
  }
}

/** Somebody who could not be told from anybody else is no customer. */
function requireNamed({ name, email, phone }: CustomerFields): void {
  if (name === null && email === null && phone === null) throw CustomerErrors.nameless();
}

const resourceOf = (id: string): string => `customer:${id}`;

function found<T extends StoredCustomer>(row: T | null): T {
  if (!row) throw CustomerErrors.notFound();
  return row;
}
