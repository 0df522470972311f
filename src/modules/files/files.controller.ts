import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, Res, type StreamableFile } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiPaymentRequiredResponse,
  ApiPayloadTooLargeResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { ChangesVersioned, type ExpectedVersions, IfMatch, versioned } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { MultipartBody, type Upload, UploadedFile } from '../../platform/http/multipart';
import { sendPage } from '../../platform/http/page-headers';
import { ApiServesFile } from '../../platform/http/serve-file';
import { NotIdempotent } from '../../platform/idempotency/not-idempotent.decorator';
import { LinkFileDto, UpdateFileDto } from './dto/file.dto';
import { FileLinkResponse, fileLinkResponse, FileResponse, fileResponse } from './dto/file.response';
import { ListFilesQuery } from './dto/list-files.query';
import { FileDeletion } from './file-deletion.service';
import { FileDownloads } from './file-downloads.service';
import { FileUploads } from './file-uploads.service';
import { FilesService } from './files.service';

const CHANGED = 'the file was renamed since';

/** Files that people keep, and those that came in as messages. */
@ApiTags('Files')
@Controller('files')
export class FilesController {
  constructor(
    private readonly files: FilesService,
    private readonly uploads: FileUploads,
    private readonly downloads: FileDownloads,
    private readonly deletion: FileDeletion,
  ) {}

  /**
   * Stores a file as the caller's own. What it is, its bytes say; its name is kept for display only, without folders, control
   * characters and marks that turn text around, and at most 255 characters of it.
   */
  @Post()
  @Access('files:write')
  @NotIdempotent('an upload is read as it comes: what was in it is known when it has been stored')
  @MultipartBody()
  @ApiCreatedResponse({ type: FileResponse })
  @ApiPaymentRequiredResponse({ description: '`PLAN_LIMIT_REACHED`: the storage of the tenant has no room for it' })
  @ApiPayloadTooLargeResponse({ description: '`FILE_TOO_LARGE`: nothing of it was kept' })
  async upload(
    @CurrentActor() actor: Actor,
    @UploadedFile() upload: Upload,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FileResponse> {
    return fileResponse(versioned(reply, await this.uploads.store(actor, upload)));
  }

  /** Files, newest first: an AGENT's own, everybody else's are the tenant's, those that came in as messages included. */
  @Get()
  @Access('files:read')
  @ApiOkResponse({ type: [FileResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListFilesQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FileResponse[]> {
    const { user_id: userId, mime_type: mimeType, q } = query;
    return sendPage(reply, await this.files.list(actor, { userId, mimeType, q }, query), query).map(fileResponse);
  }

  /** The bytes: whole or one range of them. Pictures, sound and films may be shown in place, everything else is a download. */
  @Get(':id')
  @Access('files:read')
  @ApiServesFile()
  download(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    return this.downloads.serve(actor, id, reply);
  }

  /** What is known of a file. */
  @Get(':id/metadata')
  @Access('files:read')
  @ApiOkResponse({ type: FileResponse })
  async metadata(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FileResponse> {
    return fileResponse(versioned(reply, await this.files.get(actor, id)));
  }

  /** Renames a file. */
  @Patch(':id')
  @Access('files:write')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: FileResponse })
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() { name }: UpdateFileDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FileResponse> {
    return fileResponse(versioned(reply, await this.files.rename(actor, id, name, expected)));
  }

  /** Makes a link that opens the file without a credential, for as long as is said, and cannot be changed or taken back. A key needs `files:read` besides. */
  @Post(':id/link')
  @Access('files:write')
  @NotIdempotent('the answer is a secret')
  @ApiCreatedResponse({ type: FileLinkResponse })
  async link(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() { expires_in_s: livesS = 600 }: LinkFileDto,
  ): Promise<FileLinkResponse> {
    return fileLinkResponse(await this.downloads.link(actor, id, livesS));
  }

  /**
   * Removes the file and its bytes. A message that it was sent with, or waits to be, keeps them; the one that it came in as
   * does not.
   */
  @Delete(':id')
  @HttpCode(204)
  @Access('files:write')
  @ChangesVersioned(CHANGED)
  @ApiNoContentResponse()
  async delete(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.deletion.remove(actor, id, expected);
  }
}
