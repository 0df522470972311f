import { Module, type Provider } from '@nestjs/common';
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
import { GatewayRedis } from './gateway-redis';
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
import { RouteTrial } from './routes/route-trial.service';
import { StoredRouteUrls } from './routes/route-urls.repository';
import { SealedHeaders } from './routes/sealed-headers';
import { SharedRoutes } from './routes/shared-routes';

const ROUTES: Provider[] = [
  ...[GatewayEgress, SealedHeaders, GatewayRoutesRepository, SharedRoutes, RouteDirectory],
  ...[RouteChecks, GatewayRoutesService, RouteTrial],
  { provide: RouteUrls, useClass: StoredRouteUrls },
];

const redis = {
  provide: GatewayRedis,
  inject: [Config],
  useFactory: ({ REDIS_URL }: Config) => new GatewayRedis(REDIS_URL),
};

const BALANCE: Provider[] = [
  redis,
  { provide: UpstreamPools, inject: [GatewayEgress], useFactory: (egress: GatewayEgress) => new UpstreamPools(egress) },
  {
    provide: UpstreamTargets,
    inject: [UpstreamPools],
    useFactory: (pools: UpstreamPools) => new UpstreamTargets(pools),
  },
  {
    provide: UpstreamBalancer,
    inject: [UpstreamTargets],
    useFactory: (targets: UpstreamTargets) => new UpstreamBalancer(targets),
  },
  {
    provide: HealthBoard,
    inject: [GatewayRedis, UpstreamTargets],
    useFactory: (connection: GatewayRedis, targets: UpstreamTargets) => new HealthBoard(connection, targets),
  },
  UpstreamHealthService,
];

const LIMITS: Provider[] = [
  {
    provide: GatewayLimiter,
    inject: [GatewayRedis],
    useFactory: (connection: GatewayRedis) => new GatewayLimiter(connection),
  },
  GatewayLimitsMetrics,
];

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
