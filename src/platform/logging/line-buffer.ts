import type { DestinationStream } from 'pino';

/** Where lines are written; `flushSync` writes at once what it still holds. */
export interface LineSink extends DestinationStream {
  flushSync(): void;
}

/**
 * Hands lines on many at a time: when there are some kilobytes of them, and at the latest after the time given. The order
 * stays. What is held when the process exits is written then; one that is killed loses it.
 *
 * SonicBoom can hold lines too, but measures all that it holds anew with each line.
 */
export class LineBuffer implements LineSink {
  private text = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly sink: LineSink,
    private readonly options: { characters: number; holdMs: number },
  ) {
    process.once('exit', () => this.flushSync());
  }

  write(line: string): void {
    this.text += line;
    if (this.text.length >= this.options.characters) this.handOn();
    else this.timer ??= setTimeout(() => this.handOn(), this.options.holdMs).unref();
  }

  flushSync(): void {
    this.handOn();
    this.sink.flushSync();
  }

  private handOn(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text === '') return;
    const { text } = this;
    this.text = '';
    this.sink.write(text);
  }
}
