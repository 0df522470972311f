import type { Client, Dispatcher } from 'undici';
import type { GatewayRoute } from '../gateway-route';

/** Why an attempt got no answer. */
export type AttemptFailure =
  /** No connection came about, or a reset before the head. */
  | 'unreachable'
  /** The head did not come in `timeoutMs`. */
  | 'timeout'
  /** Its address is not of the public internet. */
  | 'refused'
  /** It broke off in the middle of its answer, or what it sent was no HTTP. */
  | 'broken';

/** An upstream of a tenant, taken for one attempt. */
export interface Upstream {
  readonly url: string;
  /** Connections to it, of this tenant alone; every one of them checked. */
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** What the `Host` header says: host and port. */
  readonly authority: string;
  /** Path before the target's, without a slash at its end; '' for none. */
  readonly basePath: string;
  /** One connection of its own, for an upgrade: whoever asks ends it. */
  single(): Client;
  /** The head of its answer came; 5xx in a row eject. */
  answered(status: number, latencyMs: number): void;
  /** It gave no (whole) answer, by its own fault. */
  failed(failure: AttemptFailure): void;
  /** The attempt is over, however it ended: exactly once for each pick. */
  release(): void;
}

/** Chooses upstreams. */
export interface Balancer {
  /** An upstream for one attempt, not among the tried ones; null when there is none that may be asked now. */
  pick(route: GatewayRoute, tried: readonly string[]): Upstream | null;
}
