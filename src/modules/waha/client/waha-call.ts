import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/** A call to WAHA. */
export interface Call {
  operation: string;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Where it is not that of all calls. */
  timeoutMs?: number;
}

/** A file as it comes. */
export interface FileAnswer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: Readable;
}

/** What WAHA answered, and when by its own clock (to the second); and when it was asked (performance.now()). */
export interface Answer {
  body: unknown;
  at: Date;
  askedMs: number;
}
