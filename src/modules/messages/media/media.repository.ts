import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../../platform/database/tenant-database';

/** A file of a message, as it is stored. */
export interface StoredMedia {
  storageKey: string;
  mimeType: string;
  filename: string;
  sizeBytes: number;
  sha256: string;
}

/** Reads the files of one tenant's messages. */
@Injectable()
export class MediaRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Null where the message has none, or none yet. */
  async findStored(tenantId: string, messageId: string): Promise<StoredMedia | null> {
    const rows = await this.db.query<StoredMedia & { sizeBytes: string }>(
      tenantId,
      `select storage_key as "storageKey", mime_type as "mimeType", filename, size_bytes as "sizeBytes", sha256
        from message_media where tenant_id = $1 and message_id = $2 and state = 'stored'`,
      [tenantId, messageId],
    );
    return rows[0] ? { ...rows[0], sizeBytes: Number(rows[0].sizeBytes) } : null;
  }
}
