import { TenantEntity } from '../../src/modules/tenants/tenant.entity';
import { UserEntity } from '../../src/modules/users/user.entity';
import { BatchDatabase } from '../../src/platform/database/batch-database';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import type { TestDatabase } from '../support/database';

/** The three doors of the database, over pools of the test's own. */
export interface Doors {
  connections: DatabaseConnections;
  tenant: TenantDatabase;
  batch: BatchDatabase;
  system: SystemDatabase;
  close(): Promise<void>;
}

/** Opens the doors as the application does, with so many connections for the tenants. */
export async function openDoors(db: TestDatabase, poolMax = 1): Promise<Doors> {
  const connections = new DatabaseConnections(db, { DATABASE_POOL_MAX: poolMax }, [TenantEntity, UserEntity]);
  await connections.onModuleInit();
  return {
    connections,
    tenant: new TenantDatabase(connections),
    batch: new BatchDatabase(connections),
    system: new SystemDatabase(connections),
    close: () => connections.onApplicationShutdown(),
  };
}
