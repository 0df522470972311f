import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { textIdOf } from '../../common/ids';
import { countedPage, type Page, type PageRequest } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { type OrderTerms, TenantsService } from '../tenants/tenants.service';
import type { Told } from './order-message';
import { OrderMessages, type Prepared } from './order-messages.service';
import { mayBecome, NEWS_OF, type OrderStatus } from './order-status';
import { OrderErrors } from './orders.errors';
import { type OrderFilter, type OrderRow, OrdersRepository } from './orders.repository';
import { Stock, type WantedItem } from './stock.service';

/** An order to place. */
export interface OrderDraft {
  /** Chosen by the caller; undefined: one of ours. */
  id: string | undefined;
  customerId: string;
  items: readonly WantedItem[];
}

/** A change of an order, and the versions of it that the change is meant for. */
export interface StatusChange {
  status: OrderStatus;
  expected: ExpectedVersions;
}

/** A change that is made, or was made by an earlier run of the same request, as it is to be answered. */
interface Made {
  order: OrderRow;
  told: Told | null;
}

/** Work that changes the stock of products, a transaction. */
interface StockChange {
  tenantId: string;
  /** Ids; some may be of products that are none. */
  products: readonly string[];
  work: () => Promise<Made>;
}

/** What customers buy. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly orders: OrdersRepository,
    private readonly stock: Stock,
    private readonly tenants: TenantsService,
    private readonly messages: OrderMessages,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Places an order: takes its pieces from stock, fixes prices and currency, and accepts the confirmation where the tenant
   * has it switched on, all or nothing. With an idempotency key a repeated call finds the first one's order.
   * @throws VALIDATION_FAILED for a customer or products that are none, or a total beyond numeric(19,4), INSUFFICIENT_STOCK,
   * ORDER_ID_TAKEN
   */
  async place(actor: Actor, draft: OrderDraft): Promise<OrderRow> {
    const request = currentContext()?.resourceId ?? null;
    const id = draft.id ?? (request === null ? textIdOf('ord') : textIdOf('ord', request));
    const { tenantId } = actor;
    const earlier = await this.earlier(tenantId, id, request);
    if (earlier) return earlier;
    const terms = await this.tenants.orderTermsOf(actor);
    const message = await this.messages.prepare(actor, 'confirmation', terms.messages.confirmation);
    const placing = { ...draft, id, request, terms, message };
    try {
      return await this.change({
        tenantId,
        products: draft.items.map((item) => item.product_id),
        work: () => this.db.transaction(tenantId, (tx) => this.placeIn(tx, actor, placing)),
      });
    } catch (error) {
      // Another run of the same request may have been faster: it took what was there, and the id.
      const faster = await this.earlier(tenantId, id, request);
      if (faster) return faster;
      throw error;
    }
  }

  /** Newest first. */
  async list(actor: Actor, filter: OrderFilter, page: PageRequest): Promise<Page<OrderRow>> {
    const { tenantId } = actor;
    return countedPage(page, this.orders.list(tenantId, filter, page), (cap) =>
      this.orders.count(tenantId, filter, cap),
    );
  }

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<OrderRow> {
    return found(await this.orders.findById(actor.tenantId, id));
  }

  /**
   * Completes or cancels a pending order; cancelling gives its pieces back, to the products that there still are. It is done
   * once: whoever comes second, for whatever status, the same one too, is refused. With an idempotency key a repeated call
   * finds what the first one has done.
   * @throws NOT_FOUND, PRECONDITION_FAILED, INVALID_TRANSITION
   */
  async setStatus(actor: Actor, id: string, change: StatusChange): Promise<OrderRow> {
    const { tenantId } = actor;
    const { items } = await this.get(actor, id);
    const news = NEWS_OF[change.status];
    const terms = await this.tenants.orderTermsOf(actor);
    const message = await this.messages.prepare(actor, news, terms.messages[news]);
    const closing = { ...change, id, message };
    return this.change({
      tenantId,
      products: change.status === 'cancelled' ? items.map((item) => item.product_id) : [],
      work: () => this.db.transaction(tenantId, (tx) => this.closeIn(tx, actor, closing)),
    });
  }

  private async placeIn(
    tx: TenantTransaction,
    actor: Actor,
    placing: OrderDraft & { id: string; request: string | null; terms: OrderTerms; message: Prepared | null },
  ): Promise<Made> {
    const { tenantId } = actor;
    const { id, customerId, request, message, terms } = placing;
    const customer = await this.orders.holdCustomer(tx, tenantId, customerId);
    if (!customer) throw OrderErrors.unknownCustomer();
    const { items, total } = await this.stock.take(tx, tenantId, placing.items);
    const { currency } = terms;
    const facts = { id, status: 'pending', total, currency, items };
    const told = message && (await this.messages.send(tx, actor, message, { order: facts, customer }));
    const messages = message && told ? { [message.news]: told } : {};
    const order = await this.orders.insert(tx, tenantId, {
      ...{ id, customer_id: customerId, total, currency, items, messages, request },
    });
    if (!order) throw OrderErrors.idTaken();
    const metadata = { customer_id: customerId, total, currency, ...(told ? { message: told } : {}) };
    await this.audit.record(tx, actor, { action: 'ORDER_CREATED', resource: resourceOf(id), metadata });
    return { order, told };
  }

  private async closeIn(
    tx: TenantTransaction,
    actor: Actor,
    closing: StatusChange & { id: string; message: Prepared | null },
  ): Promise<Made> {
    const { tenantId } = actor;
    const { id, status, message } = closing;
    const before = found(await this.orders.lockById(tx, tenantId, id));
    const request = currentContext()?.resourceId ?? null;
    if (request !== null && before.closed_request === request) return { order: before, told: null };
    assertVersion(closing.expected, before.version);
    if (!mayBecome(before.status, status)) throw OrderErrors.invalidTransition(before.status, status);
    if (status === 'cancelled') await this.stock.giveBack(tx, tenantId, before.items);
    const told = message && (await this.tell(tx, actor, message, { ...before, status }));
    const messages = message && told ? { ...before.messages, [message.news]: told } : before.messages;
    const after = { ...before, status, messages, closed_request: request };
    const version = await this.orders.close(tx, tenantId, after);
    const metadata = { from: before.status, to: status, ...(told ? { message: told } : {}) };
    await this.audit.record(tx, actor, { action: 'ORDER_UPDATED', resource: resourceOf(id), metadata });
    return { order: { ...after, version }, told };
  }

  private async tell(tx: TenantTransaction, actor: Actor, message: Prepared, order: OrderRow): Promise<Told> {
    const customer = await this.orders.customerOf(tx, actor.tenantId, order.customer_id);
    return this.messages.send(tx, actor, message, { order, customer: customer ?? { name: null, phone: null } });
  }

  /** Makes the change, again where the database broke a deadlock; whoever waits for it is told once it is committed. */
  private async change({ tenantId, products, work }: StockChange): Promise<OrderRow> {
    const { order, told } = await this.stock.changing(tenantId, products, () => rerun(work));
    this.messages.settled(told);
    return order;
  }

  /** What an earlier run of the same request has placed. */
  private async earlier(tenantId: string, id: string, request: string | null): Promise<OrderRow | null> {
    return request === null ? null : this.orders.findMade(tenantId, id, request);
  }
}

const resourceOf = (id: string): string => `order:${id}`;

function found(row: OrderRow | null): OrderRow {
  if (!row) throw OrderErrors.notFound();
  return row;
}
