import { Module } from '@nestjs/common';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { StorageQuota } from '../../platform/usage/storage-quota';
import { CachedTenantDirectory } from './cached-tenant-directory';
import { ManagedTenants } from './managed-tenants.service';
import { OwnTenantController } from './own-tenant.controller';
import { TenantsController } from './tenants.controller';
import { TenantPurgeJob } from './tenant-purge.job';
import { TenantPurgesController } from './tenant-purges.controller';
import { TenantPurgesRepository } from './tenant-purges.repository';
import { TenantPurgesService } from './tenant-purges.service';
import { TenantRowsRepository } from './tenant-rows.repository';
import { TenantsRepository } from './tenants.repository';
import { TenantsService } from './tenants.service';
import { UsageRepository } from './usage.repository';
import { UsageService } from './usage.service';

/** Tenants: the businesses that share the installation. Founding one with its administrator is the auth feature's. */
@Module({
  controllers: [TenantsController, OwnTenantController, TenantPurgesController],
  providers: [
    TenantsRepository,
    TenantsService,
    ManagedTenants,
    UsageRepository,
    UsageService,
    { provide: TenantDirectory, useClass: CachedTenantDirectory },
    StorageQuota,
    TenantPurgeJob,
    TenantPurgesRepository,
    TenantPurgesService,
    TenantRowsRepository,
  ],
  exports: [TenantsService, ManagedTenants, TenantDirectory, StorageQuota],
})
export class TenantsModule {}
