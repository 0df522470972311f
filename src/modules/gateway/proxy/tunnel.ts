import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Counts the open WebSockets of each tenant, and ends them all when the process does. */
export class Tunnels {
  private readonly counts = new Map<string, number>();
  private readonly open = new Set<Tunnel>();

  constructor(private readonly perTenant: number) {}

  /** @returns false: the tenant has as many as it may have */
  take(tenantId: string): boolean {
    const count = this.counts.get(tenantId) ?? 0;
    if (count >= this.perTenant) return false;
    this.counts.set(tenantId, count + 1);
    return true;
  }

  /** Gives back what was taken. */
  release(tenantId: string): void {
    const count = (this.counts.get(tenantId) ?? 0) - 1;
    if (count > 0) this.counts.set(tenantId, count);
    else this.counts.delete(tenantId);
  }

  add(tunnel: Tunnel): void {
    this.open.add(tunnel);
  }

  remove(tunnel: Tunnel): void {
    this.open.delete(tunnel);
  }

  closeAll(): void {
    for (const tunnel of this.open) tunnel.destroy();
  }
}

/** Both ends of a tunnel. */
export interface TunnelEnds {
  readonly client: Socket;
  readonly upstream: Duplex;
}

/** How long a tunnel may last. */
export interface TunnelTimes {
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** After one end is gone. */
  readonly flushMs: number;
}

/**
 * Raw bytes both ways, as fast as the slower side takes them. The end of one direction is passed on as such; an end that is
 * gone takes the other with it, after what was already on its way.
 */
export class Tunnel {
  private isOver = false;
  private flushing: NodeJS.Timeout | undefined;

  /** @param ended is told once, when both ends are closed or given up */
  constructor(
    private readonly ends: TunnelEnds,
    private readonly times: TunnelTimes,
    private readonly ended: () => void,
  ) {}

  /** @param first what the client sent before the upstream had agreed */
  start(first: Buffer): void {
    const { client, upstream } = this.ends;
    client.setTimeout(this.times.idleMs, () => this.destroy());
    client.setNoDelay(true);
    upstream.on('error', () => this.destroy()).on('close', () => this.leave(client));
    client.on('error', () => this.destroy()).on('close', () => this.leave(upstream as Socket));
    if (first.length > 0) client.unshift(first);
    client.pipe(upstream);
    upstream.pipe(client);
  }

  destroy(): void {
    this.over();
    this.ends.client.destroy();
    this.ends.upstream.destroy();
  }

  private leave(other: Socket): void {
    if (other.closed) {
      this.over();
      return;
    }
    this.flushing ??= setTimeout(() => this.destroy(), this.times.flushMs); // it may never take what is on its way
    other.destroySoon();
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.flushing);
    this.ended();
  }
}
