import { Module } from '@nestjs/common';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { CachedTenantDirectory } from './cached-tenant-directory';
import { ManagedTenants } from './managed-tenants.service';
import { OwnTenantController } from './own-tenant.controller';
import { TenantsController } from './tenants.controller';
import { TenantsRepository } from './tenants.repository';
import { TenantsService } from './tenants.service';
import { UsageRepository } from './usage.repository';
import { UsageService } from './usage.service';

/** Tenants: the businesses that share the installation. Founding one with its administrator is the auth feature's. */
@Module({
  controllers: [TenantsController, OwnTenantController],
  providers: [
    TenantsRepository,
    TenantsService,
    ManagedTenants,
    UsageRepository,
    UsageService,
    { provide: TenantDirectory, useClass: CachedTenantDirectory },
  ],
  exports: [TenantsService, ManagedTenants, TenantDirectory],
})
export class TenantsModule {}
