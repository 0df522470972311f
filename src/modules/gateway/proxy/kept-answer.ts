import { SMALL_BODY_BYTES } from './traffic-limits';
import type { UpstreamCall } from './upstream-call';

/**
 * An upstream's answer that says that another may do better, kept until it is known whether one does. Its body is read
 * meanwhile, so that a small one holds no connection; more of a large one is left with the upstream.
 */
export class KeptAnswer {
  readonly chunks: Buffer[] = [];
  readonly elapsedMs: number;
  hasEnded = false;
  private sizeBytes = 0;

  constructor(
    readonly call: UpstreamCall,
    readonly status: number,
    readonly reason: string,
  ) {
    this.elapsedMs = call.elapsedMs;
  }

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.sizeBytes += chunk.length;
    if (this.sizeBytes > SMALL_BODY_BYTES) this.call.pause();
  }

  /** All of it came. */
  end(): void {
    this.hasEnded = true;
    this.call.finish();
  }
}
