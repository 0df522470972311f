import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { found, MAX_STOCK, type ProductRow, resourceOf } from './product';
import { ProductsCache } from './products-cache.service';
import { ProductErrors } from './products.errors';
import { ProductsRepository } from './products.repository';

/** How often a change that failed is tried again when the stock turned out to allow it. */
const ATTEMPTS = 3;

/** The pieces that there are of a product. */
@Injectable()
export class StockService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly products: ProductsRepository,
    private readonly cache: ProductsCache,
    private readonly audit: AuditLog,
  ) {}

  /** Takes so many pieces, in one atomic statement. @throws NOT_FOUND, INSUFFICIENT_STOCK with what is available */
  take(actor: Actor, id: string, quantity: number): Promise<ProductRow> {
    return this.change(actor, id, -quantity);
  }

  /** Adds so many pieces. @throws NOT_FOUND, VALIDATION_FAILED where there would be too many */
  add(actor: Actor, id: string, quantity: number): Promise<ProductRow> {
    return this.change(actor, id, quantity);
  }

  private change(actor: Actor, id: string, pieces: number): Promise<ProductRow> {
    const requestId = currentContext()?.resourceId;
    return this.cache.changing(actor.tenantId, [id], () =>
      requestId ? this.moveOnce(actor, { id, pieces }, requestId) : this.move(actor, { id, pieces }),
    );
  }

  private async move(actor: Actor, { id, pieces }: Change): Promise<ProductRow> {
    for (let attempt = 1; ; attempt += 1) {
      const moved = await this.products.move(actor.tenantId, this.recorded(actor, { id, pieces }));
      if (moved) return moved;
      const { stock } = found(await this.products.findById(actor.tenantId, id));
      // Somebody may have brought some, or taken some, between the two statements.
      if (!isAllowed(stock + pieces) || attempt === ATTEMPTS) throw refusal(stock, pieces);
    }
  }

  /** With an idempotency key: in one transaction with the note that this request is done, refusals undone. */
  private moveOnce(actor: Actor, { id, pieces }: Change, requestId: string): Promise<ProductRow> {
    const { tenantId } = actor;
    return this.db.transaction(tenantId, async (tx) => {
      const { stock, ...product } = found(await this.products.lockById(tx, tenantId, id));
      if (!(await this.products.noteRequest(tx, tenantId, requestId, id))) return { ...product, stock };
      const moved = await this.products.move(tenantId, this.recorded(actor, { id, pieces }), tx);
      if (!moved) throw refusal(stock, pieces);
      return moved;
    });
  }

  private recorded(actor: Actor, { id, pieces }: Change) {
    const metadata = pieces < 0 ? { taken: -pieces } : { added: pieces };
    const entry = { action: 'PRODUCT_STOCK_CHANGED', resource: resourceOf(id), metadata } as const;
    return { id, pieces, record: this.audit.row(actor, entry) };
  }
}

interface Change {
  id: string;
  /** Negative where they are taken. */
  pieces: number;
}

const isAllowed = (stock: number): boolean => stock >= 0 && stock <= MAX_STOCK;

const refusal = (stock: number, pieces: number): Error =>
  pieces < 0 ? ProductErrors.insufficientStock(stock) : ProductErrors.tooManyPieces(MAX_STOCK);
