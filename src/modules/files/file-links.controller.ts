import { Controller, Get, Param, Res, type StreamableFile } from '@nestjs/common';
import { ApiNotFoundResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public, Unlimited } from '../../platform/http/access.decorators';
import { ApiServesFile } from '../../platform/http/serve-file';
import { FileDownloads } from './file-downloads.service';

@ApiTags('Files')
@Controller('files/links')
export class FileLinksController {
  constructor(private readonly downloads: FileDownloads) {}

  /** A file, by a link that `POST /files/:id/link` made. It is signed, for one file and until its end. */
  @Get(':token')
  @Public('the link is signed, for one file and a bounded time')
  @Unlimited('bounded by the signature; many may share one address, as WAHA does for all sessions')
  @ApiParam({ name: 'token', description: 'What the link ends with' })
  @ApiServesFile()
  @ApiNotFoundResponse({
    description: 'The link is none, or has ended, or its file is gone, or its tenant is suspended',
  })
  get(
    @Param('token') token: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    return this.downloads.serveLinked(token, reply);
  }
}
