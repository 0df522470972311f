import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiConflictResponse, ApiPaymentRequiredResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type BodyFile, FileBody, FileOfBody } from '../../platform/http/file-body.decorator';
import type { ImportFile } from './checked-upload';
import { AcceptedImportResponse } from './dto/import.response';
import { ImportUploads } from './import-uploads.service';

const CONFLICT = { description: '`IDEMPOTENCY_IN_PROGRESS`' };
const FULL = { description: '`PLAN_LIMIT_REACHED`: the storage of the tenant has no room for it' };

/** Takes in files of products and customers. */
@ApiTags('Imports')
@Controller()
export class FileImportsController {
  constructor(private readonly uploads: ImportUploads) {}

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
  @ApiPaymentRequiredResponse(FULL)
  async products(@CurrentActor() actor: Actor, @FileOfBody() file: BodyFile): Promise<AcceptedImportResponse> {
    return { job_id: await this.uploads.accept(actor, 'products', importOf(file)) };
  }

  /** The same of customers. An email or a phone number that another customer has refuses the row. */
  @Post('customers/import')
  @HttpCode(202)
  @Access('customers:manage')
  @FileBody()
  @ApiAcceptedResponse({ type: AcceptedImportResponse })
  @ApiConflictResponse(CONFLICT)
  @ApiPaymentRequiredResponse(FULL)
  async customers(@CurrentActor() actor: Actor, @FileOfBody() file: BodyFile): Promise<AcceptedImportResponse> {
    return { job_id: await this.uploads.accept(actor, 'customers', importOf(file)) };
  }
}

const importOf = ({ type, stream }: BodyFile): ImportFile => ({
  format: type === 'text/csv' ? 'csv' : 'ndjson',
  stream,
});
