import { Readable } from 'node:stream';
import { Controller, Get, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { preferredType } from '../../platform/http/accepts';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { type ErrorFormat, ImportErrorsQuery } from './dto/import-errors.query';
import { ImportErrorResponse, importErrorResponse, ImportResponse, importResponse } from './dto/import.response';
import { ImportsService } from './imports.service';

const FILE = { schema: { type: 'string', format: 'binary' } };

const TYPES = { json: 'application/json', ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

/** What becomes of files of products and customers. */
@ApiTags('Imports')
@ApiExtraModels(ImportErrorResponse)
@Controller('imports')
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  /** How far an import is. It is kept for 30 days after its end. */
  @Get(':id')
  @Access('imports:read')
  @ApiOkResponse({ type: ImportResponse })
  async get(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<ImportResponse> {
    return importResponse(await this.imports.get(actor, id));
  }

  /** The rows that were refused, in the order of the file: page by page as JSON, or all at once as lines of JSON or a table. */
  @Get(':id/errors')
  @Access('imports:read')
  @ApiOkResponse({
    description: 'An entry for each row that was refused',
    content: {
      'application/json': { schema: { type: 'array', items: { $ref: getSchemaPath(ImportErrorResponse) } } },
      'application/x-ndjson': FILE,
      'text/csv': FILE,
    },
  })
  async errors(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Query() query: ImportErrorsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportErrorResponse[] | StreamableFile> {
    const format = query.format ?? formatOf(request.headers.accept);
    if (format === 'json')
      return sendPage(reply, await this.imports.errors(actor, id, query), query).map(importErrorResponse);
    const lines = await this.imports.errorLines(actor, id, format);
    return new StreamableFile(Readable.from(lines, { objectMode: false }), {
      type: `${TYPES[format]}; charset=utf-8`,
      disposition: `attachment; filename="import-errors.${format}"`,
    });
  }
}

function formatOf(accept: string | undefined): ErrorFormat {
  const type = preferredType(accept, [TYPES.json, TYPES.ndjson, TYPES.csv]);
  return type === TYPES.csv ? 'csv' : type === TYPES.ndjson ? 'ndjson' : 'json';
}
