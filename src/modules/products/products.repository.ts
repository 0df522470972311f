import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { audited } from '../../platform/audit/audit-log';
import type { AuditRow } from '../../platform/audit/audit-record';
import { foreignKeyViolation } from '../../platform/database/database-error';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { MAX_STOCK, type ProductFields, type ProductRow } from './product';
import { ProductErrors } from './products.errors';
import { COLUMNS } from './products.columns';
import { countStatement, isPlannedOnce, type ListedProduct, pageStatement, type ProductFilter } from './products.list';

const INSERT = audited(
  `insert into products (tenant_id, id, name, brand, category, price, stock, description, image_file_id, attributes)
    values ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::numeric, $7::int, $8::text, $9::uuid, $10::jsonb)
    on conflict (tenant_id, id) do nothing returning ${COLUMNS}`,
  10,
);

const UPDATE = `
  update products set name = $3, brand = $4, category = $5, price = $6, stock = $7, description = $8, image_file_id = $9,
    attributes = $10, version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning ${COLUMNS}`;

// $3 may be negative: pieces are taken then.
const MOVE = audited(
  `update products set stock = stock + $3::int, version = version + 1, updated_at = now()
    where tenant_id = $1::uuid and id = $2::text and stock::bigint + $3::int between 0 and ${MAX_STOCK} returning ${COLUMNS}`,
  3,
);

// In the order of ids, in which everybody locks products.
const HOLD = `select from products where tenant_id = $1 and id = any ($2::text[]) order by id for no key update`;

const SHOWING = `select id from products where tenant_id = $1 and image_file_id = $2`;

const DROP_IMAGE = `
  update products set image_file_id = null, version = version + 1, updated_at = now()
  where tenant_id = $1 and image_file_id = $2 returning id`;

const FIND = `select ${COLUMNS} from products where tenant_id = $1 and id = $2`;

/** The queries on `products`. */
@Injectable()
export class ProductsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /**
   * Stores the product and the record of it; null where there is one of that id.
   * @throws VALIDATION_FAILED where its picture is gone by now
   */
  async insert(
    tx: TenantTransaction,
    tenantId: string,
    product: ProductFields & { id: string },
    record: AuditRow,
  ): Promise<ProductRow | null> {
    const params = [tenantId, product.id, ...valuesOf(product), ...record];
    const [row] = await tx.query<ProductRow>(INSERT, params).catch(withoutImage);
    return row ?? null;
  }

  /** Null when there is none. */
  async findById(tenantId: string, id: string): Promise<ProductRow | null> {
    const [row] = await this.db.query<ProductRow>(tenantId, FIND, [tenantId, id]);
    return row ?? null;
  }

  /** The same, held for this transaction. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<ProductRow | null> {
    const [row] = await tx.query<ProductRow>(`${FIND} for update`, [tenantId, id]);
    return row ?? null;
  }

  /** Without a search (ProductSearch has that), in the order of the filter, one more than asked for. */
  list(tenantId: string, filter: ProductFilter, page: PageRequest): Promise<ListedProduct[]> {
    const once = isPlannedOnce(filter, page);
    const { text, params } = pageStatement(tenantId, filter, page, once);
    return once
      ? this.db.query<ListedProduct>(tenantId, text, params)
      : this.db.queryOnce<ListedProduct>(tenantId, text, params);
  }

  /** How many there are without a search, counted no further than the cap. */
  async count(tenantId: string, filter: ProductFilter, cap: number): Promise<number> {
    const { text, params } = countStatement(tenantId, filter, cap);
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, params);
    return row?.count ?? 0;
  }

  /** Writes all that people say of a product that is held. @throws VALIDATION_FAILED where its picture is gone by now */
  async update(tx: TenantTransaction, tenantId: string, product: ProductRow): Promise<ProductRow> {
    const params = [tenantId, product.id, ...valuesOf(product)];
    const [row] = await tx.query<ProductRow>(UPDATE, params).catch(withoutImage);
    if (!row) throw new Error('A product that was held is gone');
    return row;
  }

  /** Holds those of the products that there are, for this transaction. */
  async hold(tx: TenantTransaction, tenantId: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await tx.query(HOLD, [tenantId, ids]);
  }

  /** The products that show the file, as the transaction sees them if there is one. */
  async showing(tenantId: string, fileId: string, tx?: TenantTransaction): Promise<string[]> {
    const params = [tenantId, fileId];
    const rows = tx
      ? await tx.query<{ id: string }>(SHOWING, params)
      : await this.db.query<{ id: string }>(tenantId, SHOWING, params);
    return rows.map(({ id }) => id);
  }

  /** Takes the file away from the products that show it, all of which are held; answers which they were. */
  async dropImage(tx: TenantTransaction, tenantId: string, fileId: string): Promise<string[]> {
    return (await tx.query<{ id: string }>(DROP_IMAGE, [tenantId, fileId])).map(({ id }) => id);
  }

  /** Removes a product that is held. */
  async remove(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from products where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /**
   * Adds so many pieces (takes them, where negative) and records it, in one statement, within the transaction if there is one;
   * null where there is no such product, or too few pieces, or too many.
   */
  async move(tenantId: string, { id, pieces, record }: StockMove, tx?: TenantTransaction): Promise<ProductRow | null> {
    const params = [tenantId, id, pieces, ...record];
    const [row] = await (tx ? tx.query<ProductRow>(MOVE, params) : this.db.query<ProductRow>(tenantId, MOVE, params));
    return row ?? null;
  }

  /** Notes that the request of this id is done; false where it was done before. */
  async noteRequest(tx: TenantTransaction, tenantId: string, requestId: string, productId: string): Promise<boolean> {
    const text = `insert into product_requests (tenant_id, id, product_id) values ($1, $2, $3)
      on conflict do nothing returning true as noted`;
    return (await tx.query(text, [tenantId, requestId, productId])).length > 0;
  }
}

const IMAGE_KEY = 'products_image_fk';

/** A file may be deleted between the moment when it was looked at and that in which a product refers to it. */
function withoutImage(error: unknown): never {
  throw foreignKeyViolation(error) === IMAGE_KEY ? ProductErrors.noImage() : error;
}

/** A change of stock, with the record of it. */
export interface StockMove {
  id: string;
  pieces: number;
  record: AuditRow;
}

/** In the order of the statements. */
const valuesOf = (product: ProductFields): unknown[] => [
  ...[product.name, product.brand, product.category, product.price, product.stock],
  ...[product.description, product.image_file_id, JSON.stringify(product.attributes)],
];
