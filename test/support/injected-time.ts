import type { Client } from 'pg';
import { ROLE_KINDS } from '../../src/platform/database/role-kinds';
import type { TestDatabase } from './database';

const CLOCKS = ['clock_timestamp', 'statement_timestamp', 'transaction_timestamp', 'now'];

/**
 * Puts the service's statements in this database under a clock of the test's: the roles find functions of the clocks' names
 * before PostgreSQL's own. Connections that are open already keep the real time.
 */
export class InjectedTime {
  private constructor(private readonly owner: Client) {}

  static async in(db: TestDatabase, owner: Client, from: Date): Promise<InjectedTime> {
    const roles = ROLE_KINDS.map((kind) => `${db.rolePrefix}_${kind}`);
    await owner.query(`create schema injected`);
    await owner.query(`create table injected.time (at timestamptz not null)`);
    await owner.query(`insert into injected.time values ($1)`, [from]);
    for (const clock of CLOCKS)
      await owner.query(`create function injected.${clock}() returns timestamptz language sql volatile as
        'select at from injected.time'`);
    await owner.query(`grant usage on schema injected to ${roles.join(', ')}`);
    await owner.query(`grant select on injected.time to ${roles.join(', ')}`);
    const { rows } = await owner.query<{ name: string }>('select quote_ident(current_database()) as name');
    for (const role of roles)
      await owner.query(
        `alter role ${role} in database ${rows[0]?.name} set search_path = injected, pg_catalog, public`,
      );
    return new InjectedTime(owner);
  }

  async set(at: Date): Promise<void> {
    await this.owner.query('update injected.time set at = $1', [at]);
  }
}
