import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { HealthRegistry } from '../../platform/health/health-registry';

/** The queue in the service's health: how much waits, and since when. */
@Injectable()
export class MessageHealth implements OnModuleInit {
  constructor(
    private readonly registry: HealthRegistry,
    private readonly system: SystemDatabase,
  ) {}

  onModuleInit(): void {
    this.registry.register({
      name: 'queue',
      kind: 'info',
      check: async () => (await this.system.run<Record<string, unknown>>('queueDepth'))[0] ?? {},
    });
  }
}
