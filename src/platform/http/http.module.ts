import { Global, Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { Config } from '../../config/config';
import { LimitsModule } from '../limits/limits.module';
import { RateLimiter } from '../limits/rate-limiter';
import { ApiPaths } from './api-paths';
import { FrontDoors } from './front-door';
import { LimiterStorage } from './limiter.storage';
import { Readiness } from './readiness';
import { RequestLimits } from './request-limits';

/** What the guard and the health pages need of HTTP. The guard itself stands in app.module, which knows who authenticates. */
@Global()
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      imports: [LimitsModule],
      inject: [Config, RateLimiter],
      useFactory: (config: Config, limiter: RateLimiter) => ({
        throttlers: [{ ttl: 60_000, limit: config.RATE_LIMIT_PER_MINUTE }],
        storage: new LimiterStorage(limiter),
      }),
    }),
  ],
  providers: [RequestLimits, Readiness, ApiPaths, FrontDoors],
  exports: [RequestLimits, Readiness, ApiPaths, FrontDoors],
})
export class HttpModule {}
