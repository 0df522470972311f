import { Module } from '@nestjs/common';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { CachedTenantDirectory } from './cached-tenant-directory';
import { TenantsRepository } from './tenants.repository';
import { TenantsService } from './tenants.service';

/** Tenants: the businesses that share the installation. */
@Module({
  providers: [TenantsRepository, TenantsService, { provide: TenantDirectory, useClass: CachedTenantDirectory }],
  exports: [TenantsService, TenantDirectory],
})
export class TenantsModule {}
