import { Controller, Get, Param, Res, type StreamableFile } from '@nestjs/common';
import { ApiNotFoundResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../../common/actor';
import { CommonErrors } from '../../../common/common.errors';
import { AuditLog } from '../../../platform/audit/audit-log';
import { Access, CurrentActor, Public, Unlimited } from '../../../platform/http/access.decorators';
import { IdParam } from '../../../platform/http/id-param';
import { ApiServesFile, serveFile } from '../../../platform/http/serve-file';
import { TenantDirectory } from '../../../platform/http/tenant-directory';
import type { ByteRange } from '../../../platform/storage/object-storage';
import { MessagesService } from '../messages.service';
import { type LinkedMedia, MediaLinks } from './media-links.service';
import { MediaService } from './media.service';

@ApiTags('Messages')
@Controller('media')
export class MediaController {
  constructor(
    private readonly links: MediaLinks,
    private readonly media: MediaService,
    private readonly tenants: TenantDirectory,
  ) {}

  /** The file of a message, by a link that the service made for WAHA. It is signed and ends after ten minutes. */
  @Get(':token')
  @Public('the link is signed, for one file and ten minutes')
  @Unlimited('bounded by the signature; WAHA fetches every file from one address')
  @ApiParam({ name: 'token', description: 'What the link ends with' })
  @ApiServesFile()
  @ApiNotFoundResponse({
    description: 'The link is none, or has ended, or its file is gone, or its tenant is suspended',
  })
  async get(
    @Param('token') token: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const linked = this.links.read(token);
    if (!linked || !(await this.tenants.isActive(linked.tenantId))) throw CommonErrors.notFound('file');
    return serve(this.media, linked, reply);
  }
}

@ApiTags('Messages')
@Controller('messages')
export class MessageMediaController {
  constructor(
    private readonly messages: MessagesService,
    private readonly media: MediaService,
    private readonly audit: AuditLog,
  ) {}

  /** The file of a message, sent or received, to whoever may read the message. 404 until it is stored. */
  @Get(':id/media')
  @Access('messages:read')
  @ApiServesFile()
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    await this.messages.get(actor, id);
    const { tenantId } = actor;
    return serve(this.media, { tenantId, messageId: id }, reply, () =>
      this.audit.note(tenantId, actor, { action: 'FILE_DOWNLOAD', resource: `message:${id}` }),
    );
  }
}

async function serve(
  media: MediaService,
  of: LinkedMedia,
  reply: FastifyReply,
  opened: () => void = () => undefined,
): Promise<StreamableFile | undefined> {
  const stored = await media.get(of);
  const open = async (range: ByteRange | null, signal: AbortSignal) => {
    const stream = await media.open(stored, range, signal);
    opened();
    return stream;
  };
  return serveFile(reply, { ...stored, version: stored.sha256, open });
}
