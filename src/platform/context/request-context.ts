import { AsyncLocalStorage } from 'node:async_hooks';
import type { Actor } from '../../common/actor';

/** What is known of the request being served, wherever its code has got to. One per request; it never outlives the answer. */
export interface RequestContext {
  /** Echoed as `X-Request-Id`, written in every log line and every error. */
  readonly requestId: string;
  /** The client's address: the socket's, or what a trusted proxy says. */
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Who is calling; undefined until the guard knows, and on open routes. */
  actor: Actor | undefined;
  /** The id that an idempotent write must give its resource; set by the idempotency interceptor. */
  resourceId: string | undefined;
  /** The code of the error that was answered; undefined where none was. */
  refusal?: string | undefined;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the request being served; undefined outside one (jobs, start, tests of units). */
export const currentContext = (): RequestContext | undefined => storage.getStore();

/** Runs the work, and all that it starts, inside the context. */
export const runInContext = <T>(context: RequestContext, work: () => T): T => storage.run(context, work);
