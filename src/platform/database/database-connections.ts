import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import * as pg from 'pg';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import type { Config } from '../../config/config';
import { NamedPool } from './named-client';
import { roleUrl, type RoleAccess } from './roles';
import type { RoleKind } from './role-kinds';

/** Sizes of the pools beside the tenants' own: group commits need two connections, workers a few. */
const BATCH_POOL_MAX = 4;
const SYSTEM_POOL_MAX = 6;

/** How long a request waits for a connection before it gets 503, and a statement for its answer. */
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 35_000;

/** The three pools, one for each role, and TypeORM's DataSource over the tenants' one. */
@Injectable()
export class DatabaseConnections implements OnModuleInit, OnApplicationShutdown {
  readonly batch: NamedPool;
  readonly system: NamedPool;
  readonly dataSource: DataSource;
  private appPool: NamedPool | undefined;

  constructor(
    private readonly access: RoleAccess,
    config: Pick<Config, 'DATABASE_POOL_MAX'>,
    entities: EntityTarget<ObjectLiteral>[],
  ) {
    this.batch = this.pool('batch', BATCH_POOL_MAX);
    this.system = this.pool('system', SYSTEM_POOL_MAX);
    this.dataSource = new DataSource({
      type: 'postgres',
      driver: { ...pg, Pool: this.appPoolClass() },
      url: roleUrl(access, 'app'),
      entities: entities as (new () => unknown)[],
      installExtensions: false,
      logging: false,
      extra: poolOptions('app', config.DATABASE_POOL_MAX),
    });
  }

  /** The pool of role app, the same that TypeORM draws from. */
  get app(): NamedPool {
    if (!this.appPool) throw new Error('The database is not connected yet');
    return this.appPool;
  }

  /** Address of the database as one of the roles, for what needs a connection of its own (LISTEN, pg-boss). */
  url(kind: RoleKind): string {
    return roleUrl(this.access, kind);
  }

  async onModuleInit(): Promise<void> {
    await this.dataSource.initialize();
  }

  /** Last of all: what still works at shutdown has ended by then. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([
      this.dataSource.isInitialized && this.dataSource.destroy(),
      this.batch.end(),
      this.system.end(),
    ]);
  }

  private pool(kind: RoleKind, max: number): NamedPool {
    return new NamedPool({ connectionString: roleUrl(this.access, kind), ...poolOptions(kind, max) });
  }

  /** TypeORM makes its pool itself, of the class that it finds in its driver: so we learn which one it made. */
  private appPoolClass(): typeof pg.Pool {
    const keep = (pool: NamedPool): void => {
      this.appPool = pool;
    };
    return class extends NamedPool {
      constructor(options: pg.PoolConfig) {
        super(options);
        keep(this);
      }
    };
  }
}

const poolOptions = (kind: RoleKind, max: number): pg.PoolConfig => ({
  max,
  application_name: `switchboard ${kind}`,
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  query_timeout: QUERY_TIMEOUT_MS,
  idleTimeoutMillis: 60_000,
  keepAlive: true,
});
