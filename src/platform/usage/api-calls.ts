import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BatchDatabase } from '../database/batch-database';
import { Periodic } from '../loops/periodic';

const FLUSH_EVERY_MS = 5_000;

// On the day that it is now where the tenant is. A tenant that is gone by now counts nowhere. In one order, so that two
// processes cannot wait for each other.
const ADD = `
  insert into tenant_usage (tenant_id, day, api_calls)
  select t.id, (now() at time zone coalesce(t.settings->>'time_zone', 'UTC'))::date, g.calls
  from unnest($1::uuid[], $2::bigint[]) as g (tenant_id, calls) join tenants t on t.id = g.tenant_id
  order by t.id
  on conflict (tenant_id, day) do update set api_calls = tenant_usage.api_calls + excluded.api_calls`;

/**
 * How many requests the users and keys of each tenant make: counted here as they are answered and written for all tenants
 * together every 5 s and at the end, so that no request pays a write. While the database is away the counts wait. A process
 * that dies loses 5 s of them, and a write whose answer is lost counts twice: it is a measure and bounds nobody.
 */
@Injectable()
export class ApiCalls implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ApiCalls.name);
  private calls = new Map<string, number>();
  private readonly loop = new Periodic({
    everyMs: FLUSH_EVERY_MS,
    run: () => this.flush(),
    onError: (error) => this.logger.warn({ msg: 'API calls could not be written yet', err: error }),
  });

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly batches: BatchDatabase,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onResponse', (request, _reply, done) => {
      // A badly encoded address has no context.
      const actor = (request.context as FastifyRequest['context'] | undefined)?.actor;
      // What the platform does inside a tenant is none of that tenant's use.
      if (actor && actor.kind !== 'platform') this.add(actor.tenantId, 1);
      done();
    });
  }

  /** Writes what is not written yet. What cannot be written now waits on. */
  async flush(): Promise<void> {
    const calls = this.calls;
    if (calls.size === 0) return;
    this.calls = new Map();
    const tenantIds = [...calls.keys()];
    try {
      await this.batches.query(tenantIds, ADD, [tenantIds, [...calls.values()]]);
    } catch (error) {
      for (const [tenantId, count] of calls) this.add(tenantId, count);
      throw error;
    }
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.flush().catch((error: unknown) =>
      this.logger.warn({ msg: 'the last API calls were not written', err: error }),
    );
  }

  private add(tenantId: string, count: number): void {
    this.calls.set(tenantId, (this.calls.get(tenantId) ?? 0) + count);
  }
}
