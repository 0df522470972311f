import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { EntityTarget, ObjectLiteral, QueryRunner, Repository } from 'typeorm';
import { DatabaseConnections } from './database-connections';
import { sendOnceAs } from './named-client';
import { inTenantScope } from './tenant-scope';

/** Statements of one open transaction; all see and write one tenant's rows only. */
export interface TenantTransaction {
  query<R>(text: string, params?: unknown[]): Promise<R[]>;
  /** The same for a text that is put together of filters: planned for its values, and without a name. */
  queryOnce<R>(text: string, params: unknown[]): Promise<R[]>;
  repository<E extends ObjectLiteral>(entity: EntityTarget<E>): Repository<E>;
}

/**
 * The database as one tenant sees it (role app): each statement carries its tenant, row security shows nothing of any
 * other, and without a tenant there is nothing to see. Parameters are $1, $2 …; texts are constants.
 */
@Injectable()
export class TenantDatabase {
  constructor(private readonly connections: DatabaseConnections) {}

  /** One statement in one round trip; prepared under a name, so that it is planned once for each connection. */
  query<R>(tenantId: string, text: string, params: unknown[] = []): Promise<R[]> {
    return this.connections.app.queryAs<R>(required(tenantId), text, params);
  }

  /** The same for a text that is put together of filters: planned for its values, and without a name, for there are many. */
  queryOnce<R>(tenantId: string, text: string, params: unknown[]): Promise<R[]> {
    return this.connections.app.queryAs<R>(required(tenantId), text, params, { named: false });
  }

  /** A transaction (read committed): commits when the work resolves, else rolls back. No network call belongs inside. */
  transaction<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.within(undefined, tenantId, work);
  }

  /** The same only to read, what is too much for one statement: all that it asks is of the moment of its first statement. */
  snapshot<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.within('REPEATABLE READ', tenantId, async (tx) => {
      await tx.query('set transaction read only');
      return work(tx);
    });
  }

  private within<T>(
    isolation: 'REPEATABLE READ' | undefined,
    tenantId: string,
    work: (tx: TenantTransaction) => Promise<T>,
  ): Promise<T> {
    return inTenantScope(required(tenantId), async () => {
      const runner = this.connections.dataSource.createQueryRunner();
      try {
        await runner.startTransaction(isolation);
        const result = await work(transactionOf(runner, tenantId));
        await runner.commitTransaction();
        return result;
      } catch (error) {
        if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      } finally {
        await runner.release();
      }
    });
  }

  /** TypeORM's repository for administration and CRUD, with the tenant in scope of every statement of the work. */
  repository<E extends ObjectLiteral, T>(
    tenantId: string,
    entity: EntityTarget<E>,
    work: (repository: Repository<E>) => Promise<T>,
  ): Promise<T> {
    return inTenantScope(required(tenantId), () => work(this.connections.dataSource.getRepository(entity)));
  }
}

const transactionOf = (runner: QueryRunner, tenantId: string): TenantTransaction => ({
  query: async <R>(text: string, params: unknown[] = []): Promise<R[]> => {
    const result = (await runner.query(text, params, true)) as { raw: unknown; records?: R[] };
    return result.records ?? [];
  },
  queryOnce: async (text, params) => sendOnceAs((await runner.connect()) as ClientBase, tenantId, text, params),
  repository: (entity) => runner.manager.getRepository(entity),
});

function required(tenantId: string): string {
  if (!tenantId) throw new Error('A statement without a tenant: pass the tenant of the actor');
  return tenantId;
}
