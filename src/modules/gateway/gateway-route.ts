/** How a route's `path` is read: the whole path, its beginning up to a `/`, or a regular expression over all of it. */
export const PATH_TYPES = ['exact', 'prefix', 'regex'] as const;
export type PathType = (typeof PATH_TYPES)[number];

/** How a route shares its requests out over its upstreams. */
export const STRATEGIES = ['round-robin', 'weighted', 'random', 'least-connections', 'first'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** One service behind a route. */
export interface RouteUpstream {
  /** Origin with an optional base path, as WHATWG URL writes it; no query, no user. */
  readonly url: string;
  /** 1 to 1,000. */
  readonly weight: number;
}

/** A route of a tenant, as everything after its storing goes by it. Immutable: a change makes another one. */
export interface GatewayRoute {
  readonly id: string;
  readonly tenantId: string;
  readonly path: string;
  readonly pathType: PathType;
  /** Upper case; null: all. */
  readonly methods: readonly string[] | null;
  /** Lower case, without a port; null: any. */
  readonly host: string | null;
  /** Of regular expressions: the higher is asked first. */
  readonly priority: number;
  readonly upstreams: readonly RouteUpstream[];
  readonly strategy: Strategy;
  readonly stripPrefix: boolean;
  /** Takes the place of what `path` matched; `$1` to `$9` are the groups of a regular expression. Null: nothing is replaced. */
  readonly rewrite: string | null;
  /** Of each attempt, until the head of the answer is there. */
  readonly timeoutMs: number;
  /** Further attempts, of idempotent methods without a body only, each at another upstream. */
  readonly retries: number;
  readonly headers: {
    /** Of the request to the upstream, by lower-case name. */
    readonly set: Readonly<Record<string, string>>;
    readonly remove: readonly string[];
  };
  /** Null: none of its own. */
  readonly rateLimitPerMinute: number | null;
  readonly enabled: boolean;
}
