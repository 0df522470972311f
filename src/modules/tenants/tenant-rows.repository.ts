import { Injectable } from '@nestjs/common';
import { DatabaseError } from 'pg';
import { isRollback } from '../../platform/database/database-error';
import { SystemDatabase } from '../../platform/database/system-database';
import { TenantDatabase } from '../../platform/database/tenant-database';

const BATCH_ROWS = 5_000;
const FOREIGN_KEY = '23503';

// Names of tables come quoted from the catalogue. Its own role sees one tenant and no other; the condition says so once more.
const deleteFrom = (table: string): string => `
  with gone as (
    delete from ${table} where ctid = any (array(select ctid from ${table} where tenant_id = $1 limit $2)) and tenant_id = $1
    returning 1)
  select count(*)::int as count from gone`;
const anyIn = (table: string): string => `select exists (select from ${table} where tenant_id = $1) as found`;

/** All rows of a tenant, whatever the table: deleted as the role that sees this one tenant only. */
@Injectable()
export class TenantRowsRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly system: SystemDatabase,
  ) {}

  /** The tables with rows of tenants that go with them, quoted. The audit trail stays until its retention. */
  async tables(): Promise<string[]> {
    return (await this.system.run<{ name: string }>('purgeTables')).map(({ name }) => name);
  }

  /**
   * Deletes some of the table's rows; answers how many, or null where rows of another table must go first, or somebody else
   * was in the way.
   */
  async deleteSome(tenantId: string, table: string): Promise<number | null> {
    return this.unlessHeld(async () => {
      const [row] = await this.db.query<{ count: number }>(tenantId, deleteFrom(table), [tenantId, BATCH_ROWS]);
      return row?.count ?? 0;
    });
  }

  /** Whether the table has a row of the tenant. */
  async anyLeft(tenantId: string, table: string): Promise<boolean> {
    const [row] = await this.db.query<{ found: boolean }>(tenantId, anyIn(table), [tenantId]);
    return row?.found === true;
  }

  /** Deletes the tenant itself: how many rows that were, or null where something still belongs to it. */
  async deleteTenant(tenantId: string): Promise<number | null> {
    return this.unlessHeld(async () => {
      const text = `delete from tenants where id = $1 and deleted_at is not null returning id`;
      return (await this.db.query(tenantId, text, [tenantId])).length;
    });
  }

  private async unlessHeld(work: () => Promise<number>): Promise<number | null> {
    try {
      return await work();
    } catch (error) {
      if (isRollback(error) || (error instanceof DatabaseError && error.code === FOREIGN_KEY)) return null;
      throw error;
    }
  }
}
