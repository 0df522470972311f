import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { sendEtag } from '../../platform/http/etag';
import { termsOf } from '../tenants/dto/tenant.dto';
import { FoundTenantDto } from './dto/found-tenant.dto';
import { FoundedTenantResponse, foundedTenantResponse } from './dto/founded-tenant.response';
import { TenantFounding } from './tenant-founding.service';

/** Where the platform founds tenants: here, because a tenant comes with its first user. */
@ApiTags('Tenants')
@Controller('tenants')
export class TenantsFoundingController {
  constructor(private readonly founding: TenantFounding) {}

  /** Founds a tenant with its first TENANT_ADMIN. */
  @Post()
  @Access('tenants:manage')
  @ApiCreatedResponse({ type: FoundedTenantResponse })
  @ApiConflictResponse({ description: '`SLUG_TAKEN`' })
  async found(
    @CurrentActor() actor: Actor,
    @Body() body: FoundTenantDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FoundedTenantResponse> {
    const founded = await this.founding.found(actor, { terms: termsOf(body), admin: body.admin });
    sendEtag(reply, founded.tenant.version);
    return foundedTenantResponse(founded);
  }
}
