import { Controller, Delete, HttpCode } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiPreconditionFailedResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type ExpectedVersions, IfMatch } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { DeletedTenantResponse, deletedTenantResponse } from './dto/deleted-tenant.response';
import { TenantPurgesService } from './tenant-purges.service';

@ApiTags('Tenants')
@Controller('tenants')
export class TenantPurgesController {
  constructor(private readonly purges: TenantPurgesService) {}

  /** Suspends the tenant for good and purges all that it has, in the background; again, it says how far that is. */
  @Delete(':id')
  @HttpCode(202)
  @Access('tenants:manage')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The `ETag` of the state that is to go' })
  @ApiAcceptedResponse({ type: DeletedTenantResponse })
  @ApiPreconditionFailedResponse({ description: '`PRECONDITION_FAILED`: the tenant was changed since' })
  async delete(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<DeletedTenantResponse> {
    return deletedTenantResponse(await this.purges.delete(actor, id, expected));
  }
}
