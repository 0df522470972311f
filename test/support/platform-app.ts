import { Module, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { type Actor, userActor } from '../../src/common/actor';
import type { TenantRole } from '../../src/common/permissions';
import { type Limits, PLANS } from '../../src/common/plans';
import { CommonErrors } from '../../src/common/common.errors';
import { ConfigModule } from '../../src/config/config.module';
import { loadConfig } from '../../src/config/load-config';
import { CacheModule } from '../../src/platform/cache/cache.module';
import { DatabaseModule } from '../../src/platform/database/database.module';
import { migrate } from '../../src/platform/database/migrate';
import { roleAccessOf } from '../../src/platform/database/role-access';
import { HealthRegistryModule } from '../../src/platform/health/health-registry.module';
import { ApiGuard } from '../../src/platform/http/api.guard';
import { Authenticator } from '../../src/platform/http/authenticator';
import { createHttpApp } from '../../src/platform/http/create-http-app';
import { HttpModule } from '../../src/platform/http/http.module';
import { TenantDirectory } from '../../src/platform/http/tenant-directory';
import { IdempotencyModule } from '../../src/platform/idempotency/idempotency.module';
import { LimitsModule } from '../../src/platform/limits/limits.module';
import { createLogger } from '../../src/platform/logging/logger';
import { MetricsModule } from '../../src/platform/metrics/metrics.module';

/** `Bearer <tenant id> <user id> [role]` is that caller, MANAGER by default; anything else is a wrong credential. */
class HeaderAuthenticator extends Authenticator {
  override authenticate({ headers }: FastifyRequest): Promise<Actor | null> {
    if (headers.authorization === undefined) return Promise.resolve(null);
    const [, tenantId, id, role = 'MANAGER'] = headers.authorization.split(' ');
    if (!tenantId || !id) return Promise.reject(CommonErrors.authenticationFailed());
    return Promise.resolve(userActor({ id, tenantId, role: role as TenantRole, loginId: id }));
  }
}

class NoDirectory extends TenantDirectory {
  override slugOf(): Promise<string> {
    return Promise.resolve('none');
  }

  override idOf(): Promise<string> {
    return Promise.reject(CommonErrors.tenantNotFound());
  }

  override limitsOf(): Promise<Limits> {
    return Promise.resolve(PLANS.unlimited);
  }

  override timeZoneOf(): Promise<string> {
    return Promise.resolve('UTC');
  }

  override isActive(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

interface PlatformAppParts {
  /** The database as its owner; it is migrated. */
  ownerUrl: string;
  /** Of roles of the app's own: their password is the app's. */
  rolePrefix: string;
  variables?: Record<string, string>;
  controllers?: ModuleMetadata['controllers'];
  imports?: NonNullable<ModuleMetadata['imports']>;
}

/** The whole platform over a real database, with the controllers of a test instead of the features; not listening. */
export async function createPlatformApp(parts: PlatformAppParts): Promise<NestFastifyApplication> {
  const config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: parts.ownerUrl,
    DATABASE_ROLE_PREFIX: parts.rolePrefix,
    DATA_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64'),
    RATE_LIMIT_PER_MINUTE: '100000',
    ...parts.variables,
  });
  await migrate(roleAccessOf(config));
  @Module({
    imports: [
      ConfigModule.forRoot(config),
      HttpModule,
      CacheModule,
      LimitsModule,
      MetricsModule,
      HealthRegistryModule,
      DatabaseModule.forRoot([]),
      IdempotencyModule,
      ...(parts.imports ?? []),
    ],
    controllers: parts.controllers ?? [],
    providers: [
      { provide: APP_GUARD, useClass: ApiGuard },
      { provide: Authenticator, useClass: HeaderAuthenticator },
      { provide: TenantDirectory, useClass: NoDirectory },
    ],
  })
  class PlatformTestModule {}
  return createHttpApp(PlatformTestModule, config, createLogger(config));
}
