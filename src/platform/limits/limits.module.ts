import { Global, Module } from '@nestjs/common';
import { RedisClient } from '../cache/redis';
import { RateLimiter } from './rate-limiter';

/** The one limiter of the process. */
@Global()
@Module({
  providers: [
    { provide: RateLimiter, inject: [RedisClient], useFactory: (redis: RedisClient) => new RateLimiter(redis) },
  ],
  exports: [RateLimiter],
})
export class LimitsModule {}
