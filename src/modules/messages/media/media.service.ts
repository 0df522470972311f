import type { Readable } from 'node:stream';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppError } from '../../../common/app-error';
import { CommonErrors } from '../../../common/common.errors';
import { Egress } from '../../../platform/egress/egress';
import { checkAddress } from '../../../platform/egress/checked-address';
import { BackgroundStorage, type ByteRange, ObjectStorage } from '../../../platform/storage/object-storage';
import { TenantPurgers } from '../../../platform/tenancy/tenant-purgers';
import { StorageQuota } from '../../../platform/usage/storage-quota';
import type { LinkedMedia } from './media-links.service';
import { MediaRepository, type StoredMedia } from './media.repository';

/** The files of messages, apart from how they are fetched. */
@Injectable()
export class MediaService implements OnModuleInit {
  constructor(
    private readonly media: MediaRepository,
    private readonly storage: ObjectStorage,
    private readonly background: BackgroundStorage,
    private readonly egress: Egress,
    private readonly quota: StorageQuota,
    private readonly purgers: TenantPurgers,
  ) {}

  onModuleInit(): void {
    this.purgers.register('media', ({ tenantId }) => this.background.deleteTenant(tenantId));
    // An upload may end when the storage has been emptied already, and its process before it tidies up.
    this.purgers.registerAftermath((tenantId) => this.background.deleteTenant(tenantId));
  }

  /** Whether a file may be fetched from there, as far as the address tells. @throws VALIDATION_FAILED when it never would be */
  checkAddress(url: string): void {
    checkAddress(this.egress, url, 'media.url');
  }

  /** Why the tenant may keep no further file (PLAN_LIMIT_REACHED); null when it may. */
  fullness(tenantId: string): Promise<AppError | null> {
    return this.quota.fullness(tenantId);
  }

  /** What it may store; null where there is no bound, or no such tenant any more, of which nothing is stored anyway. */
  limitOf(tenantId: string): Promise<number | null> {
    return this.quota.limitOf(tenantId).catch(unlessGone(null));
  }

  /** Whether nothing further may be kept: then nothing has to be fetched either. */
  async isFull(tenantId: string): Promise<boolean> {
    return (await this.quota.fullness(tenantId).catch(unlessGone(null))) !== null;
  }

  /** The file of a message. @throws NOT_FOUND where it has none */
  async get({ tenantId, messageId }: LinkedMedia): Promise<StoredMedia> {
    const media = await this.media.findStored(tenantId, messageId);
    if (!media) throw CommonErrors.notFound('file');
    return media;
  }

  /** Its bytes, or that part of them. @throws NOT_FOUND where they are gone */
  async open({ storageKey }: StoredMedia, range: ByteRange | null, signal: AbortSignal): Promise<Readable> {
    const stream = await this.storage.get(storageKey, range ?? undefined, { signal });
    if (!stream) throw CommonErrors.notFound('file');
    return stream;
  }
}

/** Takes that for an answer where there is no such tenant. */
const unlessGone =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (error instanceof AppError && error.code === 'TENANT_NOT_FOUND') return instead;
    throw error;
  };
