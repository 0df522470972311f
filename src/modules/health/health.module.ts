import { Module } from '@nestjs/common';
import { HealthController } from './health.controller';
import { HealthService } from './health.service';
import { MetricsController } from './metrics.controller';
import { PlatformHealth } from './platform.health';

/** Health, readiness and metrics. Features bring their own checks through the registry; this module knows none of them. */
@Module({ controllers: [HealthController, MetricsController], providers: [HealthService, PlatformHealth] })
export class HealthModule {}
