import { EventEmitter } from 'node:events';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import { newId } from '../../common/ids';
import { DatabaseConnections } from './database-connections';
import { SystemDatabase } from './system-database';

/**
 * What there may be news of; carries no data, so a lost one costs at most the poll interval. `cache`: Redis could not be told of a
 * change, which nobody polls for.
 */
export type WakeChannel = 'lanes' | 'events' | 'sessions' | 'imports' | 'cache';
const CHANNELS: readonly WakeChannel[] = ['lanes', 'events', 'sessions', 'imports', 'cache'];
const pgChannel = (channel: WakeChannel): string => `switchboard_${channel}`;

/** At most one NOTIFY a channel in this time: each costs a lock that all commits share (docs/decisions/0003). */
const NOTIFY_EVERY_MS = 10;
/** While Redis is away each change would be one: they are in time within a second. */
const CACHE_NOTIFY_EVERY_MS = 200;
const KEEP_ALIVE_S = 10;
const RECONNECT_MIN_MS = 200;
const RECONNECT_MAX_MS = 5_000;

/**
 * Wakes workers: those of this process at once, those of others by NOTIFY, coalesced. A worker process also holds one
 * connection that LISTENs and keeps an advisory lock under its worker id for as long as it lives: PostgreSQL frees the lock
 * the moment the process dies, and other workers take its lanes over without waiting for the lease.
 */
@Injectable()
export class Wakeups implements OnApplicationShutdown {
  /** This process, as the owner of lanes. */
  readonly workerId = newId();
  private readonly emitter = new EventEmitter();
  private readonly pending = new Map<WakeChannel, NodeJS.Timeout>();
  private link: Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly linkName = `switchboard worker ${this.workerId}`;
  private worker = false;
  private closed = false;

  constructor(
    private readonly connections: DatabaseConnections,
    private readonly system: SystemDatabase,
  ) {}

  /** Calls the listener whenever there may be news; answers how to stop that. */
  on(channel: WakeChannel, listener: () => void): () => void {
    this.emitter.on(channel, listener);
    return () => this.emitter.off(channel, listener);
  }

  /** Says that there may be news: here at once, elsewhere within some milliseconds. Never fails. */
  wake(channel: WakeChannel): void {
    this.emitter.emit(channel);
    this.notifyLater(channel);
  }

  private notifyLater(channel: WakeChannel): void {
    if (this.pending.has(channel) || this.closed) return;
    const timer = setTimeout(
      () => {
        this.pending.delete(channel);
        this.system.run('notify', [pgChannel(channel)]).catch(() => {
          if (channel === 'cache') this.notifyLater(channel); // of the rest the others poll
        });
      },
      channel === 'cache' ? CACHE_NOTIFY_EVERY_MS : NOTIFY_EVERY_MS,
    );
    this.pending.set(channel, timer.unref());
  }

  /** Whether this process holds its lock: without it others take it for dead, and it must not claim lanes. */
  get present(): boolean {
    return this.link !== undefined;
  }

  /** Becomes a worker: takes its lock and listens, and does so again whenever the connection breaks. */
  async join(): Promise<void> {
    this.worker = true;
    await this.connect(RECONNECT_MIN_MS);
  }

  /** Listens, and does so again whenever the connection breaks, without being a worker. */
  async listen(): Promise<void> {
    await this.connect(RECONNECT_MIN_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    for (const timer of this.pending.values()) clearTimeout(timer);
    await this.link?.end().catch(() => undefined);
  }

  private async connect(retryMs: number): Promise<void> {
    const link = new Client({
      connectionString: this.connections.url('system'),
      application_name: this.worker ? this.linkName : 'switchboard listener',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_S * 1000,
      connectionTimeoutMillis: 5_000,
    });
    link.on('notification', ({ channel }) => this.heard(channel));
    // Every time: a server that goes away is reported twice, and an error that nobody hears ends the process.
    link.on('error', () => {
      if (this.link === link) this.reconnect(RECONNECT_MIN_MS);
    });
    try {
      await link.connect();
      await link.query('set statement_timeout = 0');
      if (this.worker) await this.takeLock(link);
      for (const channel of CHANNELS) await link.query(`listen ${pgChannel(channel)}`);
      this.link = link;
    } catch {
      void link.end().catch(() => undefined);
      this.reconnect(retryMs);
    }
    this.missed();
  }

  /** There may have been news while nothing was heard. To give the cache up costs everybody: once, when they are heard again. */
  private missed(): void {
    for (const channel of CHANNELS) if (channel !== 'cache' || this.present) this.emitter.emit(channel);
  }

  private async takeLock(link: Client): Promise<void> {
    await this.endFormerSession(link);
    await link.query('select pg_advisory_lock(hashtextextended($1, 0))', [this.workerId]);
  }

  /**
   * After a cut of the network the server may take the former connection for alive, lock included, for as long as its
   * keep-alive takes: it is ended, and this one is given a short keep-alive.
   */
  private async endFormerSession(link: Client): Promise<void> {
    for (const [name, value] of [
      ['idle', KEEP_ALIVE_S],
      ['interval', 5],
      ['count', 3],
    ] as const)
      await link.query(`set tcp_keepalives_${name} = ${value}`);
    await link.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = $1 and usename = current_user and pid <> pg_backend_pid()`,
      [this.linkName],
    );
  }

  private reconnect(retryMs: number): void {
    if (this.closed) return;
    this.link = undefined;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(Math.min(retryMs * 2, RECONNECT_MAX_MS)), retryMs).unref();
  }

  private heard(channel: string): void {
    const known = CHANNELS.find((name) => pgChannel(name) === channel);
    if (known) this.emitter.emit(known);
  }
}
