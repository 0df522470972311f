import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type BodyFile, FileBody, FileOfBody } from '../../platform/http/file-body.decorator';
import { AcceptedImportResponse } from './dto/import.response';
import { type ImportFile, ImportsService } from './imports.service';

const CONFLICT = {
  description: '`IDEMPOTENCY_IN_PROGRESS`',
};

/** Takes in files of products and customers. */
@ApiTags('Imports')
@Controller()
export class FileImportsController {
  constructor(private readonly imports: ImportsService) {}

  /**
   * Takes in a file of products, of any size: 202 once it is durable. Rows are worked off in the background by their ids: what
   * is new is added, what differs is changed in the columns that the file names, what is refused is told of in
   * `GET /imports/:id/errors`. Running it again changes nothing.
   */
  @Post('products/import')
  @HttpCode(202)
  @Access('products:manage')
  @FileBody()
  @ApiAcceptedResponse({ type: AcceptedImportResponse })
  @ApiConflictResponse(CONFLICT)
  async products(@CurrentActor() actor: Actor, @FileOfBody() file: BodyFile): Promise<AcceptedImportResponse> {
    return { job_id: await this.imports.accept(actor, 'products', importOf(file)) };
  }

  /** The same of customers. An email or a phone number that another customer has refuses the row. */
  @Post('customers/import')
  @HttpCode(202)
  @Access('customers:manage')
  @FileBody()
  @ApiAcceptedResponse({ type: AcceptedImportResponse })
  @ApiConflictResponse(CONFLICT)
  async customers(@CurrentActor() actor: Actor, @FileOfBody() file: BodyFile): Promise<AcceptedImportResponse> {
    return { job_id: await this.imports.accept(actor, 'customers', importOf(file)) };
  }
}

const importOf = ({ type, stream }: BodyFile): ImportFile => ({
  format: type === 'text/csv' ? 'csv' : 'ndjson',
  stream,
});
