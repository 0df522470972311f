import { LRUCache } from 'lru-cache';
import type { GatewayRoute } from '../gateway-route';
import { Attempt } from './attempt';
import type { Balancer, Upstream } from './balancer';
import { type Candidate, STRATEGY, type Turns } from './strategies';
import { STANDING, type Standing } from './upstream-health';
import type { UpstreamTarget } from './upstream-target';
import type { UpstreamTargets } from './upstream-targets';

/** Routes whose turn is remembered. */
const MAX_ROUTES = 20_000;
/** Connections that are tried at once, in all and of one tenant. */
const MAX_CHECKS = { inAll: 32, ofTenant: 4 };

/** An upstream of one route. */
class RouteCandidate implements Candidate {
  open = true;
  standing: Standing = STANDING.open;
  credit = 0;

  constructor(
    public target: UpstreamTarget,
    readonly weight: number,
  ) {}

  get inFlight(): number {
    return this.target.inFlight;
  }
}

interface RouteTurns extends Turns<RouteCandidate> {
  /** What they were made from: another list begins anew. */
  readonly madeOf: string;
}

/**
 * Chooses among a route's upstreams by its strategy, of those alone that may be asked now. Health is the tenant's: what one
 * route finds out, the others know. Whose turn it is stays when the table is made anew and the route is as it was.
 */
export class UpstreamBalancer implements Balancer {
  private readonly turnsOf = new WeakMap<GatewayRoute, RouteTurns>();
  private readonly turnsById: LRUCache<string, RouteTurns>;
  private checks = 0;

  constructor(
    private readonly targets: UpstreamTargets,
    private readonly random: () => number = Math.random,
    maxRoutes: number = MAX_ROUTES,
  ) {
    this.turnsById = new LRUCache({ max: maxRoutes });
  }

  pick(route: GatewayRoute, tried: readonly string[]): Upstream | null {
    if (this.targets.isFull(route.tenantId)) return null;
    const turns = this.turnsOf.get(route) ?? this.turnsFor(route);
    const best = this.look(turns, tried);
    if (best === STANDING.closed) return null;
    for (const candidate of turns.candidates) {
      candidate.open = candidate.standing === best;
      // Where others can be asked, whether it can be reached is found out without a request.
      if (candidate.standing === STANDING.unchecked && best === STANDING.open) this.check(candidate.target);
    }
    const chosen = STRATEGY[route.strategy](turns, this.random);
    if (chosen === null) return null;
    if (chosen.target.gone) chosen.target = this.targets.of(route.tenantId, chosen.target.url);
    return new Attempt(chosen.target);
  }

  /** Sets how far each may be asked. @returns the best of it */
  private look({ candidates }: RouteTurns, tried: readonly string[]): Standing {
    let best: Standing = STANDING.closed;
    let nowMs: number | undefined;
    for (const candidate of candidates) {
      const { target } = candidate;
      const { health, url } = target;
      let standing: Standing = STANDING.open;
      if (target.isFull || (tried.length > 0 && tried.includes(url))) standing = STANDING.closed;
      else if (!health.isWell) standing = health.standing((nowMs ??= this.targets.nowMs()));
      candidate.standing = standing;
      if (standing > best) best = standing;
    }
    return best;
  }

  private turnsFor(route: GatewayRoute): RouteTurns {
    const key = `${route.tenantId} ${route.id}`;
    const madeOf = JSON.stringify([route.strategy, route.upstreams.map(({ url, weight }) => [url, weight])]);
    let turns = this.turnsById.get(key);
    if (turns?.madeOf !== madeOf) {
      const candidates = route.upstreams.map(
        ({ url, weight }) => new RouteCandidate(this.targets.of(route.tenantId, url), weight),
      );
      turns = { candidates, next: 0, madeOf };
      this.turnsById.set(key, turns);
    }
    this.turnsOf.set(route, turns);
    return turns;
  }

  private check(target: UpstreamTarget): void {
    if (target.checking || this.checks >= MAX_CHECKS.inAll || target.tenant.checks >= MAX_CHECKS.ofTenant) return;
    this.checks += 1;
    void target.check().finally(() => (this.checks -= 1));
  }
}
