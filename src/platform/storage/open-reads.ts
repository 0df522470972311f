import { StorageErrors } from './storage.errors';

interface Waiting {
  tenantId: string;
  grant: () => void;
}

/**
 * How many objects may be read at once, shared over the tenants: a tenant gets another place while it has fewer than are left. One
 * alone gets half of them, two a third each: there is always room for a tenant that has none, however slowly the others read.
 */
export class OpenReads {
  private readonly held = new Map<string, number>();
  private readonly waiting = new Set<Waiting>();
  private free: number;

  /**
   * @param places in all
   * @param waitMs how long somebody waits for one
   */
  constructor(
    places: number,
    private readonly waitMs: number,
  ) {
    this.free = places;
  }

  /**
   * Takes a place, in the order of those who wait of the tenant.
   * @returns gives it back; to be called once
   * @throws STORAGE_UNAVAILABLE when none was free in time; the signal's reason
   */
  async take(tenantId: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.mayTake(tenantId)) this.hold(tenantId);
    else await this.wait(tenantId, signal);
    return () => this.giveBack(tenantId);
  }

  private mayTake(tenantId: string): boolean {
    return (this.held.get(tenantId) ?? 0) < this.free;
  }

  private hold(tenantId: string): void {
    this.free -= 1;
    this.held.set(tenantId, (this.held.get(tenantId) ?? 0) + 1);
  }

  private giveBack(tenantId: string): void {
    this.free += 1;
    const left = (this.held.get(tenantId) ?? 0) - 1;
    if (left > 0) this.held.set(tenantId, left);
    else this.held.delete(tenantId);
    for (const one of this.waiting) {
      if (!this.mayTake(one.tenantId)) continue;
      this.hold(one.tenantId);
      one.grant();
    }
  }

  private wait(tenantId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.waiting.delete(one);
      };
      const fail = (error: Error): void => {
        leave();
        reject(error);
      };
      const aborted = (): void => fail(signal.reason as Error);
      const timer = setTimeout(() => fail(StorageErrors.busy()), this.waitMs);
      const one: Waiting = {
        tenantId,
        grant: () => {
          leave();
          resolve();
        },
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.waiting.add(one);
    });
  }
}
