import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** From the beginning of an upload, and from each time that it is known to go on. */
const UPLOAD_FOR = `interval '1 hour'`;

/** What is to become of objects in the storage: they are kept by rows that name them, or removed. */
@Injectable()
export class ObjectsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** An object is about to be stored: in an hour it is removed, unless it is kept by then. */
  async announce(tenantId: string, key: string): Promise<void> {
    const text = `insert into object_removals (tenant_id, storage_key, due_at) values ($1, $2, now() + ${UPLOAD_FOR})`;
    await this.db.query(tenantId, text, [tenantId, key]);
  }

  /** It is still on its way: the hour begins anew. */
  async renew(tenantId: string, key: string): Promise<void> {
    const text = `update object_removals set due_at = now() + ${UPLOAD_FOR}
      where tenant_id = $1 and storage_key = $2 and not taken`;
    await this.db.query(tenantId, text, [tenantId, key]);
  }

  /** The object is kept, by what this transaction writes; false where it is being removed already. */
  async keep(tx: TenantTransaction, tenantId: string, key: string): Promise<boolean> {
    const text = `delete from object_removals where tenant_id = $1 and storage_key = $2 and not taken returning true as kept`;
    return (await tx.query(text, [tenantId, key])).length > 0;
  }

  /** The object is kept no more, once this transaction is committed. */
  async doom(tx: TenantTransaction, tenantId: string, key: string): Promise<void> {
    const text = `insert into object_removals (tenant_id, storage_key, due_at) values ($1, $2, now())`;
    await tx.query(text, [tenantId, key]);
  }

  /**
   * Whether the caller may remove the object now: nobody can keep it any more. Not where its file was stored after all, by a
   * transaction of which nobody heard how it ended.
   */
  async take(tenantId: string, key: string, fileId: string): Promise<boolean> {
    const text = `with taken as (
        update object_removals set taken = true where tenant_id = $1 and storage_key = $2 and not taken returning true)
      select exists (select from taken) or not (
        exists (select from object_removals where tenant_id = $1 and storage_key = $2)
        or exists (select from files where tenant_id = $1 and id = $3)) as mine`;
    const [row] = await this.db.query<{ mine: boolean }>(tenantId, text, [tenantId, key, fileId]);
    return row?.mine ?? false;
  }

  /** The object is gone. */
  async removed(tenantId: string, key: string): Promise<void> {
    const text = `delete from object_removals where tenant_id = $1 and storage_key = $2`;
    await this.db.query(tenantId, text, [tenantId, key]);
  }

  /**
   * Gives the bytes of a file that is held, and goes, to the messages that show it: one of them has them from now on, and they
   * count as its own. False where no message shows it.
   */
  async handOver(tx: TenantTransaction, tenantId: string, fileId: string): Promise<boolean> {
    // Locked where it is chosen: where the first of them is being forgotten, this waits for that and goes on to the next.
    const text = `update message_media set file_id = null where tenant_id = $1 and message_id = (
        select message_id from message_media where tenant_id = $1 and file_id = $2 and message_id <> $2
        order by message_id limit 1 for no key update) returning true as taken`;
    return (await tx.query(text, [tenantId, fileId])).length > 0;
  }

  /** The message that a file came in as shows it no more, and nobody fetches it again. */
  async blank(tx: TenantTransaction, tenantId: string, messageId: string): Promise<void> {
    await tx.query(
      `with media as (
        update message_media set state = 'failed', storage_key = null, file_id = null, source_url = null,
          error = 'The file was deleted'
        where tenant_id = $1 and message_id = $2 and file_id = $2 returning message_id)
      update messages m set content = m.content || jsonb_build_object('media', m.content->'media' || '{"state": "failed"}')
      from media where m.tenant_id = $1 and m.id = media.message_id`,
      [tenantId, messageId],
    );
  }
}
