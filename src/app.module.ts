import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Config } from './config/config';
import { ConfigModule } from './config/config.module';
import { ApiKeysModule } from './modules/api-keys/api-keys.module';
import { AuditModule } from './modules/audit/audit.module';
import { AuthModule } from './modules/auth/auth.module';
import { CampaignsModule } from './modules/campaigns/campaigns.module';
import { CustomersModule } from './modules/customers/customers.module';
import { ExportsModule } from './modules/exports/exports.module';
import { FilesModule } from './modules/files/files.module';
import { GatewayModule } from './modules/gateway/gateway.module';
import { HealthModule } from './modules/health/health.module';
import { ImportsModule } from './modules/imports/imports.module';
import { MessagesModule } from './modules/messages/messages.module';
import { ProductsModule } from './modules/products/products.module';
import { OrdersModule } from './modules/orders/orders.module';
import { TemplatesModule } from './modules/templates/templates.module';
import { TenantEntity } from './modules/tenants/tenant.entity';
import { TenantsModule } from './modules/tenants/tenants.module';
import { UserEntity } from './modules/users/user.entity';
import { UsersModule } from './modules/users/users.module';
import { WahaModule } from './modules/waha/waha.module';
import { WebhooksModule } from './modules/webhooks/webhooks.module';
import { AuditLogModule } from './platform/audit/audit.module';
import { CacheModule } from './platform/cache/cache.module';
import { CryptoModule } from './platform/crypto/crypto.module';
import { DatabaseModule } from './platform/database/database.module';
import { FactsModule } from './platform/facts/facts.module';
import { HealthRegistryModule } from './platform/health/health-registry.module';
import { EgressModule } from './platform/egress/egress.module';
import { EventsModule } from './platform/events/events.module';
import { ApiGuard } from './platform/http/api.guard';
import { HttpModule } from './platform/http/http.module';
import { IdempotencyModule } from './platform/idempotency/idempotency.module';
import { JobsModule } from './platform/jobs/jobs.module';
import { LimitsModule } from './platform/limits/limits.module';
import { MetricsModule } from './platform/metrics/metrics.module';
import { StorageModule } from './platform/storage/storage.module';
import { UsageModule } from './platform/usage/usage.module';
import { TenancyModule } from './platform/tenancy/tenancy.module';

/** Every feature's entities: TypeORM has one DataSource. */
const ENTITIES = [TenantEntity, UserEntity];

/** Technology; everything here is global. */
const PLATFORM = [
  HttpModule,
  CacheModule,
  LimitsModule,
  CryptoModule,
  MetricsModule,
  HealthRegistryModule,
  DatabaseModule.forRoot(ENTITIES),
  JobsModule,
  IdempotencyModule,
  EventsModule,
  FactsModule,
  EgressModule,
  StorageModule,
  TenancyModule,
  AuditLogModule,
  UsageModule,
];

const FEATURES = [
  TenantsModule,
  UsersModule,
  ApiKeysModule,
  AuthModule,
  WahaModule,
  FilesModule,
  TemplatesModule,
  ProductsModule,
  CustomersModule,
  MessagesModule,
  CampaignsModule,
  OrdersModule,
  ImportsModule,
  ExportsModule,
  GatewayModule,
  WebhooksModule,
  AuditModule,
  HealthModule,
];

/** The list of features: the only file that knows all of them, and where the one guard meets who authenticates. */
@Module({})
export class AppModule {
  /** @param imports modules beside the features (tests) */
  static forRoot(config: Config, imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return {
      module: AppModule,
      imports: [ConfigModule.forRoot(config), ...PLATFORM, ...FEATURES, ...imports],
      // The root's guard comes before those of the modules: idempotency needs to know the caller.
      providers: [{ provide: APP_GUARD, useClass: ApiGuard }],
    };
  }
}
