import { Controller, Get, Headers, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiNotFoundResponse, ApiOkResponse, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../../common/actor';
import { CommonErrors } from '../../../common/common.errors';
import { Access, CurrentActor, Public, Unlimited } from '../../../platform/http/access.decorators';
import { HttpErrors } from '../../../platform/http/http.errors';
import { IdParam } from '../../../platform/http/id-param';
import { rangeOf } from '../../../platform/http/range';
import { MessagesService } from '../messages.service';
import type { LinkedMedia } from './media-link';
import { MediaLinks } from './media-links.service';
import { MediaService } from './media.service';

const FILE = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

@ApiTags('Messages')
@Controller('media')
export class MediaController {
  constructor(
    private readonly links: MediaLinks,
    private readonly media: MediaService,
  ) {}

  /** The file of a message, by a link that the service made for WAHA. It is signed and ends after ten minutes. */
  @Get(':token')
  @Public('the link is signed, for one file and ten minutes')
  @Unlimited('bounded by the signature; WAHA fetches every file from one address')
  @ApiParam({ name: 'token', description: 'What the link ends with' })
  @ApiHeader({ name: 'Range', description: 'One range of bytes', required: false })
  @ApiOkResponse({ description: 'The file', content: FILE })
  @ApiResponse({ status: 206, description: 'The part that `Range` asked for', content: FILE })
  @ApiResponse({ status: 416, description: '`RANGE_NOT_SATISFIABLE`: nothing of the range is in the file' })
  @ApiNotFoundResponse({ description: 'The link is none, or has ended, or its file is gone' })
  async get(
    @Param('token') token: string,
    @Headers('range') wanted: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const linked = this.links.read(token);
    if (!linked) throw CommonErrors.notFound('file');
    return serve(this.media, linked, { wanted, reply });
  }
}

@ApiTags('Messages')
@Controller('messages')
export class MessageMediaController {
  constructor(
    private readonly messages: MessagesService,
    private readonly media: MediaService,
  ) {}

  /** The file of a message, sent or received, to whoever may read the message. 404 until it is stored. */
  @Get(':id/media')
  @Access('messages:read')
  @ApiHeader({ name: 'Range', description: 'One range of bytes', required: false })
  @ApiOkResponse({ description: 'The file', content: FILE })
  @ApiResponse({ status: 206, description: 'The part that `Range` asked for', content: FILE })
  @ApiResponse({ status: 416, description: '`RANGE_NOT_SATISFIABLE`: nothing of the range is in the file' })
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Headers('range') wanted: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    await this.messages.get(actor, id);
    return serve(this.media, { tenantId: actor.tenantId, messageId: id }, { wanted, reply });
  }
}

/** The file as a download that no browser guesses at, or the part of it that is wanted. */
async function serve(
  media: MediaService,
  of: LinkedMedia,
  { wanted, reply }: { wanted: string | undefined; reply: FastifyReply },
): Promise<StreamableFile> {
  const stored = await media.get(of);
  const range = rangeOf(wanted, stored.sizeBytes);
  if (range === 'unsatisfiable') throw HttpErrors.rangeNotSatisfiable(stored.sizeBytes);
  const stream = await media.open(stored, range);
  reply.headers({ 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff' });
  if (range) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${stored.sizeBytes}`);
  return new StreamableFile(stream, {
    type: stored.mimeType,
    disposition: `attachment; filename*=UTF-8''${encodedName(stored.filename)}`,
    length: range ? range.last - range.first + 1 : stored.sizeBytes,
  });
}

/** As RFC 8187 §3.2 writes a name: what encodeURIComponent leaves and that does not allow, encoded too. */
const encodedName = (name: string): string =>
  encodeURIComponent(name).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
