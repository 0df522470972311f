import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

const WATER_MARK_BYTES = 64 * 1024;

/**
 * The body of a request on its way to an upstream. It stands between the client's request and undici, which destroys what it
 * is given: the client's connection must outlive a failed upstream, to be told of it. Nothing is read before the upstream
 * is there to take it.
 */
export class RequestBody extends Readable {
  /** Whether the client's next byte is what everybody waits for. */
  waitsForClient = false;
  /** Whether reading has begun. */
  hasBegun = false;

  private readonly onData = (chunk: Buffer): void => {
    this.progress();
    if (!this.push(chunk)) {
      this.waitsForClient = false;
      this.request.pause();
    }
  };

  private readonly onEnd = (): void => {
    this.waitsForClient = false;
    this.progress();
    this.push(null);
  };

  /**
   * @param response says `100 Continue` to a client that waits for it; null where none does
   * @param progress is told of each part that came
   */
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse | null,
    private readonly progress: () => void,
  ) {
    super({ highWaterMark: WATER_MARK_BYTES });
    this.on('error', () => undefined); // whoever destroys it knows why
  }

  override _read(): void {
    if (!this.hasBegun) this.begin();
    this.waitsForClient = !this.request.complete;
    this.request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.waitsForClient = false;
    if (this.hasBegun) {
      this.request.off('data', this.onData).off('end', this.onEnd);
      this.request.pause();
    }
    done(error);
  }

  private begin(): void {
    this.hasBegun = true;
    this.request.on('data', this.onData).on('end', this.onEnd);
    this.response?.writeContinue();
  }
}
