import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AuditLog } from '../../platform/audit/audit-log';
import { rerun } from '../../platform/database/rerun';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { type GoingFile, type Showing, ShownFiles } from '../files/shown-files.service';
import { resourceOf } from './product';
import { ProductsCache } from './products-cache.service';
import { ProductsRepository } from './products.repository';

/** Records that go to the database in one statement. */
const RECORDS = 200;

/** Some products got the picture after it was asked who has it: they have to be told of as well. */
class Unforeseen extends Error {
  constructor(readonly ids: string[]) {
    super('More products show the file');
  }
}

/** Takes pictures that are deleted away from the products that show them, and from what is kept of these for a while. */
@Injectable()
export class ProductPictures implements OnModuleInit {
  constructor(
    private readonly products: ProductsRepository,
    private readonly cache: ProductsCache,
    private readonly files: ShownFiles,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    this.files.shownBy((file, work) => this.without(file, work));
  }

  /** The products are changed on record, as if somebody had taken their pictures away one by one. */
  private async without<T>(file: GoingFile, work: (showing: Showing) => Promise<T>): Promise<T> {
    const { tenantId } = file.actor;
    let ids = await this.products.showing(tenantId, file.fileId);
    for (;;) {
      const foreseen = ids;
      const hold = (tx: TenantTransaction) => this.products.hold(tx, tenantId, foreseen);
      const letGo = (tx: TenantTransaction) => this.letGo(tx, file, foreseen);
      try {
        return await this.cache.changing(tenantId, ids, () => rerun(() => work({ hold, letGo })));
      } catch (error) {
        if (!(error instanceof Unforeseen)) throw error;
        ids = error.ids;
      }
    }
  }

  /** Nobody can take the file up any more: it is held. Whoever has done so meanwhile is not, and must be, before it is. */
  private async letGo(tx: TenantTransaction, { actor, fileId }: GoingFile, held: readonly string[]): Promise<void> {
    const showing = await this.products.showing(actor.tenantId, fileId, tx);
    const foreseen = new Set(held);
    if (showing.some((id) => !foreseen.has(id))) throw new Unforeseen(showing);
    const ids = await this.products.dropImage(tx, actor.tenantId, fileId);
    const entry = { action: 'PRODUCT_UPDATED', metadata: { changed: ['image_file_id'] } } as const;
    const entries = ids.map((id) => ({ ...entry, resource: resourceOf(id) }));
    for (let first = 0; first < entries.length; first += RECORDS)
      await this.audit.recordMany(tx, actor, entries.slice(first, first + RECORDS));
  }
}
