import { Body, Controller, Get, Patch, Res } from '@nestjs/common';
import { ApiHeader, ApiPreconditionFailedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type ExpectedVersions, IfMatch, sendEtag } from '../../platform/http/etag';
import { SettingsDto, settingsChangeOf } from './dto/settings.dto';
import { OwnTenantResponse, ownTenantResponse } from './dto/settings.response';
import { UsageResponse, usageResponse } from './dto/usage.response';
import { ManagedTenants } from './managed-tenants.service';
import { TenantsService } from './tenants.service';
import { UsageService } from './usage.service';

/** The caller's own tenant. */
@ApiTags('Tenants')
@Controller('tenants/current')
export class OwnTenantController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly managed: ManagedTenants,
    private readonly usage: UsageService,
  ) {}

  /** Its settings; what nobody set is shown as it holds. */
  @Get()
  @Access('tenant:read')
  async get(@CurrentActor() actor: Actor, @Res({ passthrough: true }) reply: FastifyReply): Promise<OwnTenantResponse> {
    const tenant = await this.tenants.getOwn(actor);
    sendEtag(reply, tenant.version);
    return ownTenantResponse(tenant);
  }

  /** Changes the settings that are named. */
  @Patch()
  @Access('tenant:manage')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The `ETag` of the state that the change is meant for' })
  @ApiPreconditionFailedResponse({ description: '`PRECONDITION_FAILED`: the tenant was changed since' })
  async update(
    @CurrentActor() actor: Actor,
    @Body() body: SettingsDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OwnTenantResponse> {
    const tenant = await this.managed.updateOwn(actor, { change: settingsChangeOf(body), expected });
    sendEtag(reply, tenant.version);
    return ownTenantResponse(tenant);
  }

  /** What is used of the plan and quotas, today and in all. */
  @Get('usage')
  @Access('tenant:read')
  async use(@CurrentActor() actor: Actor): Promise<UsageResponse> {
    return usageResponse(await this.usage.of(actor));
  }
}
