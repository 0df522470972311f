import { Body, Controller, Get, Patch, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiPreconditionFailedResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type ExpectedVersions, IfMatch, sendEtag } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { DeletedTenantResponse, deletedTenantResponse } from './dto/deleted-tenant.response';
import { ManagedTenantResponse, managedTenantResponse } from './dto/managed-tenant.response';
import { tenantChangeOf, UpdateTenantDto } from './dto/tenant.dto';
import { TenantsQuery } from './dto/tenants.query';
import { ManagedTenants } from './managed-tenants.service';
import { TenantPurgesService } from './tenant-purges.service';

/** The tenants of the installation, for whoever operates it. */
@ApiTags('Tenants')
@Controller('tenants')
export class TenantsController {
  constructor(
    private readonly tenants: ManagedTenants,
    private readonly purges: TenantPurgesService,
  ) {}

  /** All tenants, newest first. */
  @Get()
  @Access('tenants:manage')
  @ApiOkResponse({ type: [ManagedTenantResponse] })
  async list(
    @Query() query: TenantsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ManagedTenantResponse[]> {
    return sendPage(reply, await this.tenants.list(query, query), query).map(managedTenantResponse);
  }

  /** One tenant; of one that was deleted, how far its purge is. */
  @Get(':id')
  @Access('tenants:manage')
  @ApiExtraModels(ManagedTenantResponse, DeletedTenantResponse)
  @ApiOkResponse({
    schema: { oneOf: [{ $ref: getSchemaPath(ManagedTenantResponse) }, { $ref: getSchemaPath(DeletedTenantResponse) }] },
  })
  async get(
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ManagedTenantResponse | DeletedTenantResponse> {
    const deleted = await this.purges.deletedView(id);
    if (deleted) return deletedTenantResponse(deleted);
    const tenant = await this.tenants.get(id);
    sendEtag(reply, tenant.version);
    return managedTenantResponse(tenant);
  }

  /** Changes what is named; quotas are replaced as a whole. Suspending refuses all its users and keys at once. */
  @Patch(':id')
  @Access('tenants:manage')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The `ETag` of the state that the change is meant for' })
  @ApiConflictResponse({ description: '`SLUG_TAKEN`' })
  @ApiPreconditionFailedResponse({ description: '`PRECONDITION_FAILED`: the tenant was changed since' })
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: UpdateTenantDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ManagedTenantResponse> {
    const tenant = await this.tenants.update(actor, id, { change: tenantChangeOf(body), expected });
    sendEtag(reply, tenant.version);
    return managedTenantResponse(tenant);
  }
}
