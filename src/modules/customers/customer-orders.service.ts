import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { COUNT_CAP, type Page, type PageRequest, totalOf } from '../../common/paging';
import { pageByTime } from '../../common/time-cursor';
import { type CustomerOrderRow, CustomerOrdersRepository } from './customer-orders.repository';
import { CustomerErrors } from './customers.errors';
import { CustomersRepository } from './customers.repository';

/** What customers ordered. */
@Injectable()
export class CustomerOrdersService {
  constructor(
    private readonly customers: CustomersRepository,
    private readonly orders: CustomerOrdersRepository,
  ) {}

  /** Newest first. @throws NOT_FOUND for a customer that there is not */
  async list(actor: Actor, customerId: string, page: PageRequest): Promise<Page<CustomerOrderRow>> {
    const { tenantId } = actor;
    const [rows, counted] = await Promise.all([
      this.orders.list(tenantId, customerId, page),
      page.count ? this.orders.count(tenantId, customerId, COUNT_CAP + 1) : null,
    ]);
    // Whoever has orders is there: a foreign key says so.
    if (rows.length === 0 && !(await this.customers.exists(tenantId, customerId))) throw CustomerErrors.notFound();
    return { ...pageByTime(rows, page.limit), ...(counted === null ? {} : { total: totalOf(counted) }) };
  }
}
