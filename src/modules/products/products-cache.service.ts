import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Config } from '../../config/config';
import { type Found, FreshCache } from '../../platform/cache/fresh-cache';
import { Wakeups } from '../../platform/database/wakeups';
import type { ProductRow } from './product';

const TTL_MS = 60_000;

/**
 * Products as they were read a moment ago. Whoever changes products, their stock included, puts `changing` around the
 * transaction: what is read afterwards, on whatever replica, shows the change (docs/decisions/0030).
 */
@Injectable()
export class ProductsCache implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private stopListening = (): void => undefined;

  constructor(
    private readonly config: Config,
    private readonly cache: FreshCache,
    private readonly wakeups: Wakeups,
  ) {}

  /** A process that alone has lost sight of Redis says so through PostgreSQL, to those who have not. */
  onModuleInit(): void {
    this.cache.whenUntold(() => this.wakeups.wake('cache'));
    this.stopListening = this.wakeups.on('cache', () => this.cache.distrust());
  }

  /** Workers listen anyway. */
  async onApplicationBootstrap(): Promise<void> {
    const { answersApi, works, REDIS_URL: url } = this.config;
    if (answersApi && !works && url !== undefined) await this.wakeups.listen();
  }

  onApplicationShutdown(): void {
    this.stopListening();
  }

  /** The product, of the cache or else of the loader, whose error is not kept. Out of the cache its times are texts. */
  get(tenantId: string, id: string, load: () => Promise<ProductRow>): Promise<Found<ProductRow>> {
    return this.cache.get(keyOf(tenantId, id), TTL_MS, load);
  }

  /** Does work that changes these products; the transaction belongs inside, this not inside a transaction. */
  changing<T>(tenantId: string, ids: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.cache.changing(keysOf(tenantId, ids), work);
  }

  /**
   * Forgets these products after a change that is committed, for whoever did not know before which ones it would change. A
   * process that dies between its commit and this leaves them stale for up to 60 s: `changing` does not.
   */
  changed(tenantId: string, ids: readonly string[]): Promise<void> {
    return this.cache.changed(keysOf(tenantId, ids));
  }
}

const keyOf = (tenantId: string, id: string): string => `product:${tenantId}:${id}`;
const keysOf = (tenantId: string, ids: readonly string[]): string[] => ids.map((id) => keyOf(tenantId, id));
