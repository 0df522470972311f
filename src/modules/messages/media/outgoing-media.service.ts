import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../common/actor';
import type { AppError } from '../../../common/app-error';
import { CommonErrors } from '../../../common/common.errors';
import { FilesService } from '../../files/files.service';
import type { MediaType, MessageMedia, StoredContent } from '../message-content';
import { isSentAs } from './media-kind';
import { MediaService } from './media.service';

/** The files of messages to be sent, before these are taken. */
@Injectable()
export class OutgoingMedia {
  constructor(
    private readonly media: MediaService,
    private readonly files: FilesService,
  ) {}

  /**
   * What is stored of the message's file: an address that will be fetched, or a file that the caller may read, as it is.
   * Undefined where it has none.
   * @throws VALIDATION_FAILED for an address that never would be fetched, or a file that is not sent as this type; NOT_FOUND
   * for a file that is not there, or not the caller's to read; FORBIDDEN for a key that may not read files
   */
  async of(actor: Actor, { type, content: { media } }: StoredContent): Promise<MessageMedia | undefined> {
    if (!media) return undefined;
    if (media.url !== undefined) this.media.checkAddress(media.url);
    if (media.file_id === undefined) return media;
    const file = await this.files.forUse(actor, media.file_id);
    if (!file) throw CommonErrors.notFound('file');
    if (file.size_bytes === 0) throw CommonErrors.invalidField('media.file_id', 'media.file_id is an empty file');
    if (!isSentAs(type as MediaType, file.mime_type))
      throw CommonErrors.invalidField(
        'type',
        `type must be another one: a file of ${file.mime_type} is not sent as ${type}`,
      );
    const filename = media.filename ?? file.name;
    return { ...media, state: 'stored', filename, mime_type: file.mime_type, size: file.size_bytes };
  }

  /** Why the tenant may keep no further file (PLAN_LIMIT_REACHED), where the message would bring one; null when it may. */
  async fullness(tenantId: string, media: MessageMedia | undefined): Promise<AppError | null> {
    return media?.url === undefined ? null : this.media.fullness(tenantId);
  }
}
