import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { DatabaseConnections } from './database-connections';
import { SYSTEM_STATEMENTS, type SystemStatement } from './system-statements';

/** Runs one of the named statements inside a transaction that is open across tenants. */
export type SystemRun = <R>(statement: SystemStatement, params: unknown[]) => Promise<R[]>;

/**
 * The database across tenants (role system): only the statements named in system-statements.ts, each with its reason. There
 * is no way to run another text as this role.
 */
@Injectable()
export class SystemDatabase {
  constructor(private readonly connections: DatabaseConnections) {}

  /** One statement, committed. */
  async run<R>(statement: SystemStatement, params: unknown[] = []): Promise<R[]> {
    const result = await this.connections.system.query(SYSTEM_STATEMENTS[statement].text, params);
    return result.rows as R[];
  }

  /** Several statements in one transaction (read committed: each sees what was committed before it began). */
  transaction<T>(work: (run: SystemRun) => Promise<T>): Promise<T> {
    return this.within('begin', work);
  }

  /** Several readings of one and the same state, whatever is committed meanwhile (repeatable read, from the first SELECT on). */
  snapshot<T>(work: (run: SystemRun) => Promise<T>): Promise<T> {
    return this.within('begin isolation level repeatable read, read only', work);
  }

  private async within<T>(begin: string, work: (run: SystemRun) => Promise<T>): Promise<T> {
    const client = await this.connections.system.connect();
    let failure: unknown;
    try {
      await client.query(begin);
      const result = await work(runOn(client));
      await client.query('commit');
      return result;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await endOf(client, failure);
    }
  }
}

const runOn =
  (client: PoolClient): SystemRun =>
  async <R>(statement: SystemStatement, params: unknown[]): Promise<R[]> =>
    (await client.query(SYSTEM_STATEMENTS[statement].text, params)).rows as R[];

/** A connection whose transaction could not be rolled back is not used again. */
async function endOf(client: PoolClient, failure: unknown): Promise<void> {
  if (failure === undefined) return client.release();
  const clean = await client.query('rollback').then(
    () => true,
    () => false,
  );
  client.release(!clean);
}
