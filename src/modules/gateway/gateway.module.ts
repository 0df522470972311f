import { Module } from '@nestjs/common';
import { GatewayEgress } from './gateway-egress';
import { GatewayRoutesController } from './routes/gateway-routes.controller';
import { GatewayRoutesRepository } from './routes/gateway-routes.repository';
import { GatewayRoutesService } from './routes/gateway-routes.service';
import { RouteChecks } from './routes/route-checks';
import { RouteDirectory } from './routes/route-directory.service';
import { RouteTrial } from './routes/route-trial.service';
import { SharedRoutes } from './routes/shared-routes';

/** The gateway: the tenants' own services behind this one. */
@Module({
  controllers: [GatewayRoutesController],
  providers: [
    ...[GatewayEgress, GatewayRoutesRepository, SharedRoutes, RouteDirectory],
    ...[RouteChecks, GatewayRoutesService, RouteTrial],
  ],
  exports: [GatewayEgress, RouteDirectory],
})
export class GatewayModule {}
