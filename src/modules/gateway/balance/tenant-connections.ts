/** Connections to one origin. */
interface Idling {
  /** Closes one that serves nothing at the moment. @returns whether there was one */
  closeIdle(): boolean;
}

/** All that one tenant has under way and open to its upstreams in this process, whichever they are. */
export class TenantConnections {
  /** Attempts under way. */
  inFlight = 0;
  /** Connections: being opened, open, and being closed. */
  open = 0;
  readonly pools = new Set<Idling>();

  constructor(
    readonly tenantId: string,
    private readonly max: number,
  ) {}

  /** Whether it has as much under way as it may have. */
  get isFull(): boolean {
    return this.inFlight >= this.max;
  }

  /** Whether nothing is left of it. */
  get isUnused(): boolean {
    return this.inFlight === 0 && this.open === 0 && this.pools.size === 0;
  }

  /**
   * Counts one connection more. Each serves an attempt, of which there are not too many; so what is beyond the bound is idle, and
   * one of those is closed.
   */
  opening(): void {
    if (this.open >= this.max) for (const pool of this.pools) if (pool.closeIdle()) break;
    this.open += 1;
  }
}
