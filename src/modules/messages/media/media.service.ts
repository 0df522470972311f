import type { Readable } from 'node:stream';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { AppError } from '../../../common/app-error';
import { CommonErrors } from '../../../common/common.errors';
import { Egress } from '../../../platform/egress/egress';
import { checkAddress } from '../../../platform/egress/checked-address';
import { TenantDirectory } from '../../../platform/http/tenant-directory';
import { type ByteRange, ObjectStorage } from '../../../platform/storage/object-storage';
import { TenantPurgers } from '../../../platform/tenancy/tenant-purgers';
import { StorageUse } from '../../../platform/usage/storage-use';
import type { LinkedMedia } from './media-links.service';
import { MediaRepository, type StoredMedia } from './media.repository';

/** The files of messages, apart from how they are fetched. */
@Injectable()
export class MediaService implements OnModuleInit {
  constructor(
    private readonly media: MediaRepository,
    private readonly storage: ObjectStorage,
    private readonly egress: Egress,
    private readonly tenants: TenantDirectory,
    private readonly use: StorageUse,
    private readonly purgers: TenantPurgers,
  ) {}

  onModuleInit(): void {
    this.use.counts((tenantId) => this.media.bytesOf(tenantId));
    this.purgers.register('media', ({ tenantId }) => this.storage.deleteTenant(tenantId));
  }

  /** Whether a file may be fetched from there, as far as the address tells. @throws VALIDATION_FAILED when it never would be */
  checkAddress(url: string): void {
    checkAddress(this.egress, url, 'media.url');
  }

  /** Why the tenant may keep no further file (PLAN_LIMIT_REACHED); null when it may. */
  async fullness(tenantId: string): Promise<AppError | null> {
    const { storage_bytes: limit } = await this.tenants.limitsOf(tenantId);
    if (limit === null || (await this.use.bytesOf(tenantId)) < limit) return null;
    return CommonErrors.planLimitReached('stored bytes', limit);
  }

  /** The file of a message. @throws NOT_FOUND where it has none */
  async get({ tenantId, messageId }: LinkedMedia): Promise<StoredMedia> {
    const media = await this.media.findStored(tenantId, messageId);
    if (!media) throw CommonErrors.notFound('file');
    return media;
  }

  /** Its bytes, or that part of them. @throws NOT_FOUND where they are gone */
  async open({ storageKey }: StoredMedia, range: ByteRange | null): Promise<Readable> {
    const stream = await this.storage.get(storageKey, range ?? undefined);
    if (!stream) throw CommonErrors.notFound('file');
    return stream;
  }
}
