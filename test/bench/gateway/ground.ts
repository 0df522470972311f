import type { Cleanup } from '../cleanup';
import type { Upstream } from './upstream';

/** Where contenders are started. */
export interface Ground {
  cleanup: Cleanup;
  folder: string;
  upstream: Upstream;
}

/** A contender that runs. */
export interface Running {
  port: number;
  version: string;
  /** Sent with each request. */
  headers: Record<string, string>;
  /** Its processes, each with its children. */
  pids: number[];
  /** What it needs beside itself: databases. */
  helpers: number[];
  /** Of Switchboard: whose key it is. */
  tenantId?: string;
  /** Of Switchboard: where one request a minute passes. */
  limitedPath?: string;
}
