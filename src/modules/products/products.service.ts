import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { textIdOf } from '../../common/ids';
import { keysetCursor } from '../../common/keyset';
import { COUNT_CAP, countedPage, type Page, pageOf, type PageRequest, totalOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import type { Found } from '../../platform/cache/fresh-cache';
import { currentContext } from '../../platform/context/request-context';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { assertVersion, type ExpectedVersions, versionOf } from '../../platform/http/etag';
import { FilesService } from '../files/files.service';
import { changesOf, found, type ProductFields, type ProductRow, resourceOf } from './product';
import { ProductSearchRepository } from './product-search.repository';
import { ProductsCache } from './products-cache.service';
import { ProductErrors } from './products.errors';
import { type ListedProduct, orderOf, type ProductFilter } from './products.list';
import { ProductsRepository } from './products.repository';

export { MAX_STOCK } from './product';

/** What a product is made with; what is absent is none, and no pieces. */
export type NewProduct = Pick<ProductFields, 'name' | 'price'> & Partial<ProductFields> & { id?: string };

const NOTHING_MORE = {
  ...{ brand: null, category: null, stock: 0, description: null },
  ...{ image_file_id: null, attributes: {} },
};

/** What the business sells. */
@Injectable()
export class ProductsService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly products: ProductsRepository,
    private readonly searches: ProductSearchRepository,
    private readonly cache: ProductsCache,
    private readonly audit: AuditLog,
    private readonly files: FilesService,
  ) {}

  /**
   * Makes a product. With an idempotency key a repeated call finds the first one's.
   * @throws PRODUCT_EXISTS where the id is taken, VALIDATION_FAILED for a picture that is not there or not the caller's to read,
   * FORBIDDEN for one that a key names which may not read files
   */
  async create(actor: Actor, fields: NewProduct): Promise<ProductRow> {
    const { tenantId } = actor;
    await this.requireImage(actor, fields.image_file_id);
    const requestId = currentContext()?.resourceId;
    const product = { ...NOTHING_MORE, ...fields, id: fields.id ?? textIdOf('prod', requestId) };
    const { id, name, price, stock } = product;
    return this.cache.changing(tenantId, [id], () =>
      this.db.transaction(tenantId, async (tx) => {
        // The id may be the caller's: that there is such a product does not say that this request made it.
        if (requestId && !(await this.products.noteRequest(tx, tenantId, requestId, id)))
          return found(await this.products.lockById(tx, tenantId, id));
        const entry = { resource: resourceOf(id), metadata: { name, price, stock } };
        const record = this.audit.row(actor, { action: 'PRODUCT_CREATED', ...entry });
        const made = await this.products.insert(tx, tenantId, product, record);
        if (!made) throw ProductErrors.exists();
        return made;
      }),
    );
  }

  /**
   * In the order asked for: newest first unless told otherwise. A search looks at a bounded number of products: a page may then
   * hold fewer than asked for, even none, and yet have a next one; a total of what was not looked through to its end has a `+`.
   * @throws VALIDATION_FAILED for a cursor of another order
   */
  async list(actor: Actor, filter: ProductFilter, page: PageRequest): Promise<Page<ProductRow>> {
    const { tenantId } = actor;
    const placeAfter = ({ sort_value: value, id }: ListedProduct) => keysetCursor(orderOf(filter), { value, id });
    const cut = (rows: ListedProduct[], limit: number) => pageOf(rows, limit, placeAfter);
    if (filter.q !== undefined) return this.search(tenantId, filter, page, cut);
    const counted = (cap: number) => this.products.count(tenantId, filter, cap);
    return countedPage(page, this.products.list(tenantId, filter, page), counted, cut);
  }

  private async search(
    tenantId: string,
    filter: ProductFilter,
    page: PageRequest,
    cut: (rows: ListedProduct[], limit: number) => Page<ProductRow>,
  ): Promise<Page<ProductRow>> {
    const [{ rows, end }, counted] = await Promise.all([
      this.searches.list(tenantId, filter, page),
      page.count ? this.searches.count(tenantId, filter, COUNT_CAP + 1) : null,
    ]);
    const whole = cut(rows, page.limit);
    const found = end === null ? whole : { ...whole, nextCursor: keysetCursor(orderOf(filter), end), byCursor: true };
    if (counted === null) return found;
    const { count, all } = counted;
    return { ...found, total: all ? totalOf(count) : `${Math.min(count, COUNT_CAP)}+` };
  }

  /** The product as it is now, and whether the cache had it. @throws NOT_FOUND */
  get({ tenantId }: Actor, id: string): Promise<Found<ProductRow>> {
    return this.cache.get(tenantId, id, async () => found(await this.products.findById(tenantId, id)));
  }

  /**
   * Changes what is named; what changes nothing leaves no trace. The picture that it has may be named by whoever may change it.
   * @throws NOT_FOUND, PRECONDITION_FAILED, VALIDATION_FAILED and FORBIDDEN as above
   */
  async update(
    actor: Actor,
    id: string,
    change: Partial<ProductFields>,
    expected: ExpectedVersions,
  ): Promise<ProductRow> {
    const { image_file_id: image } = change;
    const keepsImage = Boolean(image) && (await this.products.findById(actor.tenantId, id))?.image_file_id === image;
    if (!keepsImage) await this.requireImage(actor, image);
    const changed = await this.changeOne(actor, id, async (tx, before) => {
      assertVersion(expected, versionOf(before));
      if (keepsImage && before.image_file_id !== image) return null; // somebody changed it meanwhile
      const after = { ...before, ...change };
      const metadata = changesOf(before, after);
      if (!metadata) return before;
      await this.audit.record(tx, actor, { action: 'PRODUCT_UPDATED', resource: resourceOf(id), metadata });
      return this.products.update(tx, actor.tenantId, after);
    });
    return changed ?? this.update(actor, id, change, expected);
  }

  private async requireImage(actor: Actor, id: string | null | undefined): Promise<void> {
    if (id && !(await this.files.forUse(actor, id))) throw ProductErrors.noImage();
  }

  /** Removes it; orders keep what they were made with. @throws NOT_FOUND, PRECONDITION_FAILED */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    await this.changeOne(actor, id, async (tx, before) => {
      assertVersion(expected, versionOf(before));
      const { name, price, stock } = before;
      const metadata = { name, price, stock };
      await this.audit.record(tx, actor, { action: 'PRODUCT_DELETED', resource: resourceOf(id), metadata });
      await this.products.remove(tx, actor.tenantId, id);
    });
  }

  /** One transaction that holds the product. */
  private changeOne<T>(
    { tenantId }: Actor,
    id: string,
    work: (tx: TenantTransaction, before: ProductRow) => Promise<T>,
  ): Promise<T> {
    return this.cache.changing(tenantId, [id], () =>
      this.db.transaction(tenantId, async (tx) => work(tx, found(await this.products.lockById(tx, tenantId, id)))),
    );
  }
}
