/** How long and how much of what the gateway carries. */
export interface TrafficLimits {
  /** No byte of a body from the side whose turn it is. */
  readonly bodyIdleMs: number;
  /** The same for server-sent events, and for a client that does not take what waits for it. */
  readonly eventIdleMs: number;
  /** No byte in either direction of a WebSocket. */
  readonly tunnelIdleMs: number;
  /** After one end of a WebSocket is gone, the other has so long to take what was on its way to it. */
  readonly tunnelFlushMs: number;
  /** Open WebSockets of one tenant in one process. */
  readonly tunnelsPerTenant: number;
  /** What is left of a request's body after its answer is read so long, so that the answer is not lost in a reset. */
  readonly lingerMs: number;
  /** How long a request waits for regular expressions that have to be compiled before its route is known. */
  readonly matchMs: number;
  /** How exactly the above are kept, the tunnels' times and that of a match excepted. */
  readonly sweepMs: number;
}

/** What goes for every tenant. */
export const TRAFFIC_LIMITS: TrafficLimits = {
  bodyIdleMs: 60_000,
  eventIdleMs: 300_000,
  tunnelIdleMs: 300_000,
  tunnelFlushMs: 5000,
  tunnelsPerTenant: 1000,
  lingerMs: 2000,
  matchMs: 5000,
  sweepMs: 1000,
};

/** A body not longer than this is read to its end after an early answer, and its connection is kept. */
export const SMALL_BODY_BYTES = 64 * 1024;

/** The longest path that is matched, without its query. */
export const PATH_BYTES_MAX = 2048;
