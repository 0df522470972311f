import { Body, Controller, Delete, Get, HttpCode, Module, Post, Query, Res } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { IsInt, IsObject, IsString, MaxLength, Min, ValidateNested } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, userActor } from '../../src/common/actor';
import { type Limits, PLANS } from '../../src/common/plans';
import { CommonErrors } from '../../src/common/common.errors';
import { newId } from '../../src/common/ids';
import type { TenantRole } from '../../src/common/permissions';
import type { Config } from '../../src/config/config';
import { ConfigModule } from '../../src/config/config.module';
import { loadConfig } from '../../src/config/load-config';
import { CacheModule } from '../../src/platform/cache/cache.module';
import { currentContext } from '../../src/platform/context/request-context';
import { Access, AuthLimited, CurrentActor, Public, Unlimited } from '../../src/platform/http/access.decorators';
import { ApiGuard } from '../../src/platform/http/api.guard';
import { Authenticator } from '../../src/platform/http/authenticator';
import { createHttpApp } from '../../src/platform/http/create-http-app';
import { HttpModule } from '../../src/platform/http/http.module';
import { IdParam } from '../../src/platform/http/id-param';
import { sendPage } from '../../src/platform/http/page-headers';
import { FreeObject } from '../../src/platform/http/free-object.rule';
import { Optional } from '../../src/platform/http/optional.rule';
import { PageQuery } from '../../src/platform/http/page.query';
import { RawBody } from '../../src/platform/http/raw-body.decorator';
import { TenantDirectory } from '../../src/platform/http/tenant-directory';
import { LimitsModule } from '../../src/platform/limits/limits.module';
import { MetricsModule } from '../../src/platform/metrics/metrics.module';
import { createLogger } from '../../src/platform/logging/logger';

/** The tenant of every probe actor. */
export const PROBE_TENANT = { id: '01890000-0000-7000-8000-000000000001', slug: 'probe' };

const actorOf = (role: TenantRole): Actor =>
  userActor({ id: newId(), tenantId: PROBE_TENANT.id, role, loginId: newId() });

/** `Bearer <ROLE>` is a caller of that role; any other credential is wrong. */
class ProbeAuthenticator extends Authenticator {
  override authenticate(request: FastifyRequest): Promise<Actor | null> {
    const { authorization } = request.headers;
    if (authorization === undefined) return Promise.resolve(null);
    const role = /^Bearer (TENANT_ADMIN|MANAGER|AGENT|AUDITOR)$/.exec(authorization)?.[1];
    if (!role) return Promise.reject(CommonErrors.authenticationFailed());
    return Promise.resolve(actorOf(role as TenantRole));
  }
}

class ProbeDirectory extends TenantDirectory {
  override slugOf(): Promise<string> {
    return Promise.resolve(PROBE_TENANT.slug);
  }

  override idOf(): Promise<string> {
    return Promise.resolve(PROBE_TENANT.id);
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

class Pace {
  @IsInt()
  @Min(1)
  per_minute: number;
}

class ProbeBody {
  @IsString()
  @MaxLength(10)
  name: string;

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => Pace)
  pace?: Pace;

  @Optional()
  @FreeObject(200)
  metadata?: Record<string, unknown>;
}

@Controller('probe')
class ProbeController {
  @Get('open')
  @Public('a probe')
  open(): { requestId: string | undefined } {
    return { requestId: currentContext()?.requestId };
  }

  @Get('actor')
  @Access('messages:read')
  actor(@CurrentActor() actor: Actor): { tenantId: string; logged: string | undefined } {
    return { tenantId: actor.tenantId, logged: currentContext()?.actor?.id };
  }

  @Get('items/:id')
  @Public('a probe')
  item(@IdParam() id: string): { id: string } {
    return { id };
  }

  @Delete('items/:id')
  @Public('a probe')
  @HttpCode(204)
  remove(): void {}

  @Get('list')
  @Public('a probe')
  list(@Query() query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply): unknown[] {
    return sendPage(reply, { items: [query], nextCursor: 'next one', total: '3' }, query);
  }

  @Post('items')
  @Public('a probe')
  create(@Body() body: ProbeBody): { body: ProbeBody; requestId: string | undefined } {
    return { body, requestId: currentContext()?.requestId };
  }

  @Post('send')
  @Access('messages:send')
  send(): { sent: true } {
    return { sent: true };
  }

  @Post('login')
  @Public('a probe')
  @AuthLimited()
  @HttpCode(200)
  login(@Body() body: { email?: string }): { in: string | undefined } {
    return { in: body.email };
  }

  @Post('hook')
  @Public('a probe')
  @Unlimited('a probe')
  @RawBody(3 * 1024 * 1024)
  hook(@Body() raw: Buffer): { bytes: number } {
    return { bytes: raw.length };
  }

  @Get('boom')
  @Public('a probe')
  @Unlimited('a probe')
  boom(): never {
    throw new Error('secret detail at /etc/passwd');
  }

  @Get('no-database')
  @Public('a probe')
  @Unlimited('a probe')
  noDatabase(): never {
    throw Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED', syscall: 'connect' });
  }
}

@Controller('unmarked')
class UnmarkedController {
  @Get()
  forgotten(): string {
    return 'anybody';
  }
}

const platform = (config: Config, controllers: (new () => object)[]) => {
  @Module({
    imports: [ConfigModule.forRoot(config), CacheModule, LimitsModule, MetricsModule, HttpModule],
    controllers,
    providers: [
      { provide: APP_GUARD, useClass: ApiGuard },
      { provide: Authenticator, useClass: ProbeAuthenticator },
      { provide: TenantDirectory, useClass: ProbeDirectory },
    ],
  })
  class ProbeModule {}
  return ProbeModule;
};

interface ProbeOptions {
  variables?: Record<string, string>;
  /** Adds a controller that says not who may call it. */
  unmarked?: boolean;
  /** Receives the log lines. */
  log?: (line: string) => void;
}

/** The HTTP platform as it serves every feature, with a controller that shows its promises and no database behind. */
export async function createProbeApp(options: ProbeOptions = {}): Promise<NestFastifyApplication> {
  const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', ...options.variables });
  const controllers = options.unmarked ? [ProbeController, UnmarkedController] : [ProbeController];
  const logger = createLogger(config, options.log && { write: options.log });
  return createHttpApp(platform(config, controllers), config, logger);
}
