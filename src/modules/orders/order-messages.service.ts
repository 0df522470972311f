import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AppError } from '../../common/app-error';
import type { ErrorCode } from '../../common/error-codes';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { type Route, type TemplateOutcome, TransactionAcceptor } from '../messages/transaction-acceptor.service';
import { type LoadedTemplate, TemplatesService } from '../templates/templates.service';
import type { OrderMessage } from '../tenants/tenants.service';
import { type OrderFacts, orderVariables, type Skip, type Told } from './order-message';
import type { OrderNews } from './order-status';

/** A message that is made ready before the change that it tells of; or why there will be none. */
export type Prepared = ({ template: LoadedTemplate; route: Route } | { skipped: Skip }) & { news: OrderNews };

/** To whom, and what of. */
export interface News {
  order: OrderFacts;
  customer: { name: string | null; phone: string | null };
}

/** What customers are told when their orders change. What cannot be sent never keeps a change from being made. */
@Injectable()
export class OrderMessages {
  constructor(
    private readonly templates: TemplatesService,
    private readonly acceptor: TransactionAcceptor,
  ) {}

  /** Reads the template and finds the session, before the transaction; null where the tenant has the message switched off. */
  async prepare(actor: Actor, news: OrderNews, setting: OrderMessage | null): Promise<Prepared | null> {
    if (!setting) return null;
    const template = await unless('NOT_FOUND', this.templates.forSending(actor, setting.template_id));
    if (!template) return { news, skipped: 'TEMPLATE_NOT_FOUND' };
    if (template.media && (await this.acceptor.isFull(actor))) return { news, skipped: 'STORAGE_FULL' };
    const route = await unless('SESSION_REQUIRED', this.acceptor.routeFor(actor, setting.session_id ?? undefined));
    return route ? { news, template, route } : { news, skipped: 'SESSION_REQUIRED' };
  }

  /** Stores the message in the transaction of the change; `settled` is to be told after its commit. */
  async send(tx: TenantTransaction, actor: Actor, prepared: Prepared, news: News): Promise<Told> {
    if ('skipped' in prepared) return { skipped: prepared.skipped };
    const { order, customer } = news;
    if (customer.phone === null) return { skipped: 'NO_PHONE' };
    const text = filled(prepared.template, news);
    if (text === null) return { skipped: 'TEMPLATE_NOT_FILLABLE' };
    const metadata = { order_id: order.id, order_message: prepared.news };
    const draft = { to: customer.phone, text, template: prepared.template, metadata };
    const outcome = await this.acceptor.accept(tx, actor, prepared.route, draft);
    return typeof outcome === 'string' ? { skipped: SKIP_OF[outcome] } : outcome;
  }

  /** The change is committed with what became of its message. */
  settled(told: Told | null): void {
    if (told && 'id' in told) this.acceptor.committed();
  }
}

const SKIP_OF: Record<Extract<TemplateOutcome, string>, Skip> = {
  no_recipient: 'NO_PHONE',
  no_session: 'SESSION_NOT_FOUND',
  over_quota: 'QUOTA_EXCEEDED',
};

/** Null where the template asks for what an order does not have, or its text would be blank or too long. */
function filled(template: LoadedTemplate, { order, customer }: News): string | null {
  try {
    return template.render(orderVariables(order, customer.name));
  } catch (error) {
    if (error instanceof AppError && error.code === 'VALIDATION_FAILED') return null;
    throw error;
  }
}

/** What comes; null where that refusal comes instead. */
async function unless<T>(code: ErrorCode, coming: Promise<T>): Promise<T | null> {
  try {
    return await coming;
  } catch (error) {
    if (error instanceof AppError && error.code === code) return null;
    throw error;
  }
}
