import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthRegistry } from './health-registry';

/** Gives features the place to register their health checks. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  providers: [HealthRegistry],
  exports: [HealthRegistry],
})
export class HealthRegistryModule {}
