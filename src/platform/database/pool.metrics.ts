import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics, type Reading } from '../metrics/metrics';
import { DatabaseConnections } from './database-connections';
import type { NamedPool } from './named-client';
import type { RoleKind } from './role-kinds';

/** How full the three pools are, at each scrape. */
@Injectable()
export class PoolMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly connections: DatabaseConnections,
  ) {}

  onModuleInit(): void {
    this.metrics.observe({
      name: 'switchboard_database_pool_connections',
      help: 'Open connections of each pool, busy or idle',
      labelNames: ['pool', 'state'],
      read: () => this.eachState((pool) => ({ busy: pool.totalCount - pool.idleCount, idle: pool.idleCount })),
    });
    this.metrics.observe({
      name: 'switchboard_database_pool_limit',
      help: 'Connections that each pool may open',
      labelNames: ['pool'],
      read: () => this.eachPool(({ options }) => options.max ?? 0),
    });
    this.metrics.observe({
      name: 'switchboard_database_pool_waiting',
      help: 'Callers that wait for a connection of each pool',
      labelNames: ['pool'],
      read: () => this.eachPool(({ waitingCount }) => waitingCount),
    });
  }

  private get pools(): [RoleKind, NamedPool][] {
    const { app, batch, system } = this.connections;
    return [
      ['app', app],
      ['batch', batch],
      ['system', system],
    ];
  }

  private eachPool(valueOf: (pool: NamedPool) => number): Reading[] {
    return this.pools.map(([name, pool]) => ({ labels: { pool: name }, value: valueOf(pool) }));
  }

  private eachState(statesOf: (pool: NamedPool) => Record<string, number>): Reading[] {
    return this.pools.flatMap(([name, pool]) =>
      Object.entries(statesOf(pool)).map(([state, value]) => ({ labels: { pool: name, state }, value })),
    );
  }
}
