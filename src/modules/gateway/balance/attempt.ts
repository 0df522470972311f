import type { Client, Dispatcher } from 'undici';
import type { AttemptFailure, Upstream } from './balancer';
import type { OriginPool } from './origin-pool';
import type { Trial } from './upstream-health';
import type { UpstreamTarget } from './upstream-target';

const FIRST_BAD_STATUS = 500;

/** One request on its way to one upstream. */
export class Attempt implements Upstream {
  private readonly pool: OriginPool;
  private readonly trial: Trial;
  /** Failures in a row that its answer has ended; undefined before it. */
  private endedRow: number | undefined;
  private released = false;

  constructor(private readonly target: UpstreamTarget) {
    this.pool = target.hold();
    this.trial = target.health.begin();
  }

  get url(): string {
    return this.target.url;
  }

  get origin(): string {
    return this.target.origin;
  }

  get authority(): string {
    return this.target.authority;
  }

  get basePath(): string {
    return this.target.basePath;
  }

  get dispatcher(): Dispatcher {
    return this.pool.dispatcher;
  }

  single(): Client {
    return this.pool.single();
  }

  answered(status: number, latencyMs: number): void {
    this.target.noteLatency(latencyMs);
    if (status >= FIRST_BAD_STATUS) this.target.health.failed(this.trial, 'status');
    else this.endedRow = this.target.health.succeeded(this.trial);
  }

  failed(failure: AttemptFailure): void {
    this.target.health.failed(this.trial, failure, this.endedRow);
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.target.letGo(this.pool);
    this.target.health.ended(this.trial);
  }
}
