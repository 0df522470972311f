import { Injectable } from '@nestjs/common';
import { DatabaseConnections } from './database-connections';

/**
 * The database as a stated set of tenants sees it (role batch): for group commits, where the rows of several tenants travel
 * in one statement. Row security admits these tenants and no other, and grants.ts only the tables that need it.
 */
@Injectable()
export class BatchDatabase {
  constructor(private readonly connections: DatabaseConnections) {}

  /** One committed statement on behalf of the tenants. */
  query<R>(tenantIds: string[], text: string, params: unknown[]): Promise<R[]> {
    if (tenantIds.length === 0) throw new Error('A batch without tenants');
    return this.connections.batch.queryAs<R>([...new Set(tenantIds)].join(','), text, params);
  }
}
