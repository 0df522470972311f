import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HealthRegistry } from '../../platform/health/health-registry';
import { WahaServers } from './waha-servers.service';

/** WAHA in the service's health: away means degraded, since messages wait and nothing is lost. */
@Injectable()
export class WahaHealth implements OnModuleInit {
  constructor(
    private readonly registry: HealthRegistry,
    private readonly servers: WahaServers,
  ) {}

  onModuleInit(): void {
    this.registry.register({ name: 'waha', kind: 'degrading', check: () => this.check() });
  }

  private async check(): Promise<Record<string, unknown>> {
    // One that is drained may go away.
    const servers = (await this.servers.all()).filter(({ state }) => state === 'active');
    await Promise.all(servers.map((server) => this.servers.probe(server)));
    return {
      servers: servers.map(({ id, reservesIds, refusedFor }) => ({
        id,
        reserves_ids: reservesIds,
        refused_for: refusedFor,
      })),
    };
  }
}
