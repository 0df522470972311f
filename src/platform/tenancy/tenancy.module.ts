import { Global, Module } from '@nestjs/common';
import { TenantPurgers } from './tenant-purgers';

/** Where features say what they hold of tenants. */
@Global()
@Module({ providers: [TenantPurgers], exports: [TenantPurgers] })
export class TenancyModule {}
