import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import type { Page, PageRequest } from '../../common/paging';
import { CustomersService } from '../customers/customers.service';
import type { OrderRow } from './orders.repository';
import { OrdersService } from './orders.service';

/** Orders where their customers are looked at. */
@Injectable()
export class CustomerOrders {
  constructor(
    private readonly orders: OrdersService,
    private readonly customers: CustomersService,
  ) {}

  /** What the customer ordered, newest first. @throws NOT_FOUND for a customer that there is not */
  async list(actor: Actor, customerId: string, page: PageRequest): Promise<Page<OrderRow>> {
    const orders = await this.orders.list(actor, { customer_id: customerId }, page);
    // Whoever has orders is there: a foreign key says so.
    if (orders.items.length === 0) await this.customers.assertExists(actor, customerId);
    return orders;
  }
}
