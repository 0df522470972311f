import { DatabaseError, Query, type QueryConfig, type QueryResult } from 'pg';

/** Prepared once on each connection, before its first use. Policies read the setting (see tenant-wall.ts). */
export const SET_TENANT = { name: 'set_tenant', text: `select set_config('app.tenant_id', $1, true)` };

/** What we use of pg's connection; its types do not declare it. pg is pinned and tests hold this to account. */
interface ProtocolConnection {
  bind(message: { portal: string; statement: string; values: string[] }): void;
  execute(message: { portal: string }): void;
  once(event: 'readyForQuery' | 'end', listener: () => void): void;
  off(event: 'readyForQuery' | 'end', listener: () => void): void;
}

/** What we override of pg's Query; its types do not declare it either. */
interface ProtocolQuery {
  submit(connection: ProtocolConnection): void;
  prepare(connection: ProtocolConnection): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: ProtocolConnection): void;
  handleError(error: Error, connection: ProtocolConnection): void;
}

type Callback = (error: Error | null, result: QueryResult) => void;

const BaseQuery = Query as unknown as new (config: QueryConfig, values: undefined, callback: Callback) => ProtocolQuery;

/**
 * One statement with its tenant, in one round trip: `Bind(set_config) Execute, Parse? Bind Describe Execute, Sync` is one
 * implicit transaction, so the setting dies with it and nothing stays on the pooled connection (docs/decisions/0002). If
 * set_config fails, PostgreSQL skips the statement.
 */
export class TenantQuery extends BaseQuery {
  private settingTenant = false;

  /** @param tenants one tenant's id; for the batch role several, joined by commas. */
  constructor(
    private readonly tenants: string,
    config: QueryConfig,
    callback: Callback,
  ) {
    super(config, undefined, callback);
  }

  /** Always the extended protocol: the simple one has no bind. */
  requiresPreparation(): boolean {
    return true;
  }

  override prepare(connection: ProtocolConnection): void {
    connection.bind({ portal: '', statement: SET_TENANT.name, values: [this.tenants] });
    connection.execute({ portal: '' });
    this.settingTenant = true;
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (!this.settingTenant) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    if (this.settingTenant) this.settingTenant = false;
    else super.handleCommandComplete(message, connection);
  }

  /**
   * PostgreSQL sends the error before it says that it is ready again. The caller hears of it then only: a connection that is
   * released earlier looks unanswered, and would be thrown away.
   */
  override handleError(error: Error, connection: ProtocolConnection): void {
    if (!(error instanceof DatabaseError)) return super.handleError(error, connection);
    const tell = (): void => {
      connection.off('readyForQuery', tell);
      connection.off('end', tell); // after its last words the server is never ready again
      super.handleError(error, connection);
    };
    connection.once('readyForQuery', tell);
    connection.once('end', tell);
  }
}
