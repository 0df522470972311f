import { Module, type Provider, type Type } from '@nestjs/common';
import { Config } from '../../config/config';
import { ApiKeysModule } from '../api-keys/api-keys.module';
import { HealthBoard } from './balance/health-board';
import { UpstreamBalancer } from './balance/upstream-balancer';
import { RouteUrls, UpstreamHealthService } from './balance/upstream-health.service';
import { UpstreamPools } from './balance/upstream-pools';
import { UpstreamTargets } from './balance/upstream-targets';
import { UpstreamsController } from './balance/upstreams.controller';
import { GatewayBackground } from './gateway-background';
import { GatewayDoor } from './gateway-door.service';
import { GatewayEgress } from './gateway-egress';
import { GatewayParts } from './gateway-parts.service';
import { GatewayPort } from './gateway-port.service';
import { GatewayRedis, HealthRedis } from './gateway-redis';
import { GatewayLimiter } from './limits/gateway-limiter';
import { GatewayLimitsMetrics } from './limits/limits.metrics';
import { GatewayMetrics } from './metrics/gateway-metrics';
import { GatewayObservers } from './metrics/gateway-observers';
import { GatewayRefusals } from './metrics/gateway-refusals';
import { GatewayRoutesController } from './routes/gateway-routes.controller';
import { GatewayRoutesRepository } from './routes/gateway-routes.repository';
import { GatewayRoutesService } from './routes/gateway-routes.service';
import { RouteChecks } from './routes/route-checks';
import { RouteDirectory } from './routes/route-directory.service';
import { RouteMemory } from './routes/route-memory';
import { RouteTrial } from './routes/route-trial.service';
import { StoredRouteUrls } from './routes/route-urls.repository';
import { SealedHeaders } from './routes/sealed-headers';
import { SharedRoutes } from './routes/shared-routes';

const ROUTES: Provider[] = [
  {
    provide: GatewayEgress,
    inject: [Config],
    useFactory: ({ GATEWAY_ALLOWED_CIDRS: allowed }: Config) => new GatewayEgress({ allowed }),
  },
  ...[SealedHeaders, GatewayRoutesRepository, SharedRoutes, madeOf(RouteMemory), RouteDirectory],
  ...[RouteChecks, GatewayRoutesService, RouteTrial],
  { provide: RouteUrls, useClass: StoredRouteUrls },
];

/** Made of what it asks for first; the rest of what its constructor takes is for tests. It knows nothing of Nest. */
function madeOf<T, Parts extends unknown[]>(
  type: new (...parts: Parts) => T,
  ...inject: { [Index in keyof Parts]: Type<Parts[Index]> }
): Provider {
  return { provide: type, inject, useFactory: (...parts: Parts) => new type(...parts) };
}

const BALANCE: Provider[] = [
  { provide: GatewayRedis, inject: [Config], useFactory: ({ REDIS_URL }: Config) => new GatewayRedis(REDIS_URL) },
  madeOf(UpstreamPools, GatewayEgress),
  madeOf(UpstreamTargets, UpstreamPools),
  madeOf(UpstreamBalancer, UpstreamTargets),
  { provide: HealthRedis, inject: [Config], useFactory: ({ REDIS_URL }: Config) => new HealthRedis(REDIS_URL) },
  madeOf(HealthBoard, HealthRedis, UpstreamTargets),
  UpstreamHealthService,
];

const LIMITS: Provider[] = [madeOf(GatewayLimiter, GatewayRedis), GatewayLimitsMetrics];

const TRAFFIC: Provider[] = [
  ...[GatewayMetrics, GatewayRefusals, GatewayObservers, GatewayParts],
  ...[GatewayDoor, GatewayPort, GatewayBackground],
];

/** The gateway: the tenants' own services behind this one. */
@Module({
  imports: [ApiKeysModule],
  controllers: [GatewayRoutesController, UpstreamsController],
  providers: [...ROUTES, ...BALANCE, ...LIMITS, ...TRAFFIC],
})
export class GatewayModule {}
