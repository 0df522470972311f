import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { hostOf } from '../../../platform/egress/egress-target';
import { isExhaustion } from './exhaustion';
import type { TenantConnections } from './tenant-connections';

const CLIENT = {
  pipelining: 1,
  // Below the 5 s after which Node and Apache close, so that few requests meet a connection that is being closed.
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 60_000,
  // undici's own time-outs tick by the second: whoever sends the request times it.
  headersTimeout: 0,
  bodyTimeout: 0,
  maxHeaderSize: 16_384,
  allowH2: false,
} as const;

/** Whose connections a pool has, and how they are made. */
export interface PoolOwner {
  readonly tenant: TenantConnections;
  readonly connect: buildConnector.connector;
  /** Connections of the pool, and attempts that hold them. */
  readonly connections: number;
  /** Is told of each connection that was closed or never came about. */
  readonly closed: (tenant: TenantConnections) => void;
}

/** The connections of one tenant to one origin. */
export class OriginPool {
  /** Attempts that hold it. */
  inFlight = 0;
  /** Grows with each use of any pool, so that they can be told by age. */
  lastUse = 0;
  /** The use that was its last when somebody last looked, and since when. */
  idle = { lastUse: 0, sinceMs: 0 };
  /** It is closed, or being closed: another takes its place. */
  closed = false;
  readonly dispatcher: Dispatcher;
  /** What is open of the dispatcher's, by the client of undici that uses it. */
  private readonly lanes = new Map<Client, Socket>();

  constructor(
    readonly key: string,
    private readonly origin: URL,
    private readonly owner: PoolOwner,
  ) {
    this.dispatcher = new Pool(origin, {
      ...CLIENT,
      connect: owner.connect,
      connections: owner.connections,
      factory: (url, options) => this.lane(url, options),
    });
  }

  get tenant(): TenantConnections {
    return this.owner.tenant;
  }

  /** Whether another attempt would have to wait for a connection, by no fault of the upstream. */
  get isFull(): boolean {
    return this.inFlight >= this.owner.connections;
  }

  /** One connection of its own, beside the pool's. */
  single(): Client {
    return new Client(this.origin, { ...CLIENT, connect: (options, done) => this.open(options, done) });
  }

  /**
   * Opens a connection and closes it again, having said nothing.
   * @returns whether it came about; null where this machine can open none, which says nothing of the upstream
   */
  canConnect(): Promise<boolean | null> {
    const { host, protocol, port } = this.origin;
    return new Promise((resolve) => {
      this.open({ host, hostname: hostOf(this.origin), protocol, port }, (error, socket) => {
        socket?.on('error', () => undefined).destroy();
        resolve(error !== null && isExhaustion(error) ? null : error === null);
      });
    });
  }

  /** Closes a connection that serves nothing at the moment, as an upstream may at any time. @returns whether there was one */
  closeIdle(): boolean {
    for (const [client, socket] of this.lanes) {
      if (socket.destroyed || client.stats.size > 0) continue;
      socket.destroy();
      return true;
    }
    return false;
  }

  /** One of the dispatcher's clients, each of which has one connection at a time. */
  private lane(origin: URL, options: object): Client {
    const client: Client = new Client(origin, {
      ...options,
      connect: (target, done) =>
        this.open(target, (error, socket) => {
          if (error) return done(error, null);
          this.lanes.set(client, socket);
          socket.once('close', () => {
            if (this.lanes.get(client) === socket) this.lanes.delete(client);
          });
          return done(null, socket);
        }),
    });
    return client;
  }

  /** Opens a connection, which counts as the tenant's until it is closed. */
  private open(options: buildConnector.Options, done: buildConnector.Callback): void {
    const { tenant, connect, closed } = this.owner;
    tenant.opening();
    connect(options, (error, socket) => {
      if (error) {
        closed(tenant);
        return done(error, null);
      }
      socket.once('close', () => closed(tenant));
      return done(null, socket);
    });
  }
}
