import type { Dispatcher } from 'undici';

/** An answer, all of it. */
export interface WholeAnswer {
  status: number;
  headers: { date?: string | string[] };
  /** UTF-8; empty where there was no body. */
  text: string;
}

const UTF8 = new TextDecoder();

/**
 * Makes the request and reads the whole answer, whatever its status; how long that may be is the dispatcher's matter. Waits no
 * longer than the time-out, also for a connection: then rejects with a `TimeoutError`, and what has not left by then never
 * leaves. Rejects with what undici says where there was no answer, or not all of it.
 */
export function wholeAnswer(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  timeoutMs: number,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Reading({ timeoutMs, resolve, reject }));
  });
}

interface Waiting {
  timeoutMs: number;
  resolve: (answer: WholeAnswer) => void;
  reject: (error: Error) => void;
}

/**
 * One answer on its way. Without the stream that undici's `request` makes of it: those keep each other alive, and each
 * collection has to move them (decision 0041). Its timer goes with it.
 */
class Reading implements Dispatcher.DispatchHandler {
  private readonly timer: NodeJS.Timeout;
  private readonly dueMs: number;
  private readonly chunks: Buffer[] = [];
  private status = 0;
  private headers: WholeAnswer['headers'] = {};
  private controller: Dispatcher.DispatchController | undefined;
  private late: Error | undefined;

  constructor(private readonly waiting: Waiting) {
    this.dueMs = performance.now() + waiting.timeoutMs;
    this.timer = setTimeout(giveUp, waiting.timeoutMs, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A process that stood still hears of its connection before its timers: by then others have taken over what it was to do.
    if (!this.late && performance.now() >= this.dueMs) this.giveUp();
    if (this.late) controller.abort(this.late);
    else this.controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: WholeAnswer['headers']): void {
    if (status < 200) return; // the answer is still to come
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.timer);
    const { status, headers, chunks } = this;
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    this.waiting.resolve({ status, headers, text: UTF8.decode(body) });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    clearTimeout(this.timer);
    this.waiting.reject(error);
  }

  /** The timer's. */
  giveUp(): void {
    clearTimeout(this.timer);
    this.late = new DOMException('It took too long', 'TimeoutError');
    this.waiting.reject(this.late);
    this.controller?.abort(this.late);
  }
}

const giveUp = (reading: Reading): void => reading.giveUp();
