import { Module } from '@nestjs/common';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { CachedTenantDirectory } from './cached-tenant-directory';
import { TenantPurgeJob } from './tenant-purge.job';
import { TenantPurgesController } from './tenant-purges.controller';
import { TenantPurgesRepository } from './tenant-purges.repository';
import { TenantPurgesService } from './tenant-purges.service';
import { TenantRowsRepository } from './tenant-rows.repository';
import { TenantsRepository } from './tenants.repository';
import { TenantsService } from './tenants.service';

/** Tenants: the businesses that share the installation. */
@Module({
  controllers: [TenantPurgesController],
  providers: [
    TenantsRepository,
    TenantsService,
    { provide: TenantDirectory, useClass: CachedTenantDirectory },
    TenantPurgeJob,
    TenantPurgesRepository,
    TenantPurgesService,
    TenantRowsRepository,
  ],
  exports: [TenantsService, TenantDirectory],
})
export class TenantsModule {}
