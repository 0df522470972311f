import { Controller, Delete, HttpCode } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { IdParam } from '../../platform/http/id-param';
import { NotIdempotent } from '../../platform/idempotency/not-idempotent.decorator';
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
  @NotIdempotent('Idempotency keys are a tenant’s, and the platform is none; a repeated deletion changes nothing more')
  @ApiAcceptedResponse({ type: DeletedTenantResponse })
  async delete(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<DeletedTenantResponse> {
    return deletedTenantResponse(await this.purges.delete(actor, id));
  }
}
