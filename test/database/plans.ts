import { Client } from 'pg';
import type { TenantDatabase } from '../../src/platform/database/tenant-database';
import type { TestDatabase } from '../support/database';

/** A node of a plan, as `explain (analyze, buffers, format json)` gives it. */
export interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  /** Pages, of all nodes below too. */
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

/** Rows of the table that the plan had to read, those included that it then did not want. */
function rowsRead(node: PlanNode, table: string): number {
  const seen =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const own = node['Relation Name'] === table ? seen * node['Actual Loops'] : 0;
  return own + (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child, table), 0);
}

/** Runs statements as the service's own role does, behind row security, and adds up what their plans had to read. */
export class PlanReader {
  private plans: PlanNode[] = [];

  private constructor(private readonly app: Client) {}

  static async open(db: TestDatabase): Promise<PlanReader> {
    const app = new Client({ connectionString: db.roleUrl('app') });
    await app.connect();
    return new PlanReader(app);
  }

  /** The same as the door that repositories are given; a snapshot is one statement after the other. */
  get door(): TenantDatabase {
    const snapshot = (tenantId: string, work: (tx: object) => unknown) =>
      work({ queryOnce: (text: string, params: unknown[]) => this.query(tenantId, text, params) });
    const query = this.query.bind(this);
    return { query, queryOnce: query, snapshot } as unknown as TenantDatabase;
  }

  /** Forgets what was read before. */
  look(): void {
    this.plans = [];
  }

  /** Rows of the table since the last look, those inside functions apart. */
  rowsOf(table: string): number {
    return this.plans.reduce((sum, plan) => sum + rowsRead(plan, table), 0);
  }

  /** Pages of the database since the last look. */
  get pages(): number {
    return this.plans.reduce((sum, plan) => sum + plan['Shared Hit Blocks'] + plan['Shared Read Blocks'], 0);
  }

  async query<R extends object>(tenantId: string, text: string, params: unknown[]): Promise<R[]> {
    await this.app.query('begin');
    try {
      await this.app.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
      const explain = `explain (analyze, buffers, timing off, format json) ${text}`;
      const { rows } = await this.app.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(explain, params);
      if (!rows[0]) throw new Error('There is no plan');
      this.plans.push(rows[0]['QUERY PLAN'][0].Plan);
      return (await this.app.query<R>(text, params)).rows;
    } finally {
      await this.app.query('rollback');
    }
  }

  close(): Promise<void> {
    return this.app.end();
  }
}
