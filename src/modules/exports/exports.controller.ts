import { Controller, Get, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { preferredType } from '../../platform/http/accepts';
import type { ExportKindName } from './export-kinds';
import { ExportQuery } from './export.query';
import { ExportsService } from './exports.service';

const TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;
const FILE = { schema: { type: 'string', format: 'binary' } };
const EXPORTED = {
  description: 'Every row, in the order of ids, at whatever length',
  content: { [TYPES.ndjson]: FILE, [TYPES.csv]: FILE },
};

/**
 * What the tenant has, as files. In tables, what a spreadsheet would take for a formula has an apostrophe before it, which
 * imports take away again.
 */
@ApiTags('Exports')
@Controller()
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  /** The products, as lines of JSON or as a table that can be imported. */
  @Get('products/export')
  @Access('products:read')
  @ApiOkResponse(EXPORTED)
  products(
    @CurrentActor() actor: Actor,
    @Query() query: ExportQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.file(actor, 'products', { query, request, reply });
  }

  /** The customers, as lines of JSON or as a table that can be imported; without those who were anonymised. */
  @Get('customers/export')
  @Access('customers:read')
  @ApiOkResponse(EXPORTED)
  customers(
    @CurrentActor() actor: Actor,
    @Query() query: ExportQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.file(actor, 'customers', { query, request, reply });
  }

  /** The orders, a line each, with their items as JSON in a cell of their own where it is a table. */
  @Get('orders/export')
  @Access('orders:read')
  @ApiOkResponse(EXPORTED)
  orders(
    @CurrentActor() actor: Actor,
    @Query() query: ExportQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.file(actor, 'orders', { query, request, reply });
  }

  private async file(actor: Actor, kind: ExportKindName, { query, request, reply }: Asked): Promise<StreamableFile> {
    const wanted = preferredType(request.headers.accept, [TYPES.ndjson, TYPES.csv]);
    const format = query.format ?? (wanted === TYPES.csv ? 'csv' : 'ndjson');
    const stream = await this.exports.export(actor, kind, format);
    reply.header('cache-control', 'no-store').header('vary', 'accept');
    return new StreamableFile(stream, {
      type: `${TYPES[format]}; charset=utf-8${format === 'csv' ? '; header=present' : ''}`,
      disposition: `attachment; filename="${kind}.${format}"`,
    });
  }
}

interface Asked {
  query: ExportQuery;
  request: FastifyRequest;
  reply: FastifyReply;
}
