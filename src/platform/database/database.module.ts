import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { EntityTarget, ObjectLiteral } from 'typeorm';
import { Config } from '../../config/config';
import { BatchDatabase } from './batch-database';
import { DatabaseConnections } from './database-connections';
import { PoolMetrics } from './pool.metrics';
import { roleAccessOf } from './role-access';
import { SystemDatabase } from './system-database';
import { TenantDatabase } from './tenant-database';
import { Wakeups } from './wakeups';

/** The database behind its three doors. Features inject TenantDatabase; the other two have their reasons. */
@Global()
@Module({})
export class DatabaseModule {
  /** @param entities every feature's entities: TypeORM has one DataSource. */
  static forRoot(entities: EntityTarget<ObjectLiteral>[]): DynamicModule {
    const connections = {
      provide: DatabaseConnections,
      inject: [Config],
      useFactory: (config: Config) => new DatabaseConnections(roleAccessOf(config), config, entities),
    };
    return {
      module: DatabaseModule,
      providers: [connections, TenantDatabase, BatchDatabase, SystemDatabase, Wakeups, PoolMetrics],
      exports: [DatabaseConnections, TenantDatabase, BatchDatabase, SystemDatabase, Wakeups],
    };
  }
}
