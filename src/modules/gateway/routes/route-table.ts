import type { Soon } from '../../../common/soon';
import { mapInTurns } from '../../../platform/loops/turns';
import type { GatewayRoute } from '../gateway-route';
import type { Asker, Match, RouteTable } from '../proxy/parts';
import { Claims } from './claims';
import { PatternRoutes } from './pattern-routes';
import { trimmedPrefix } from './path-rules';
import { exactTarget, prefixTarget } from './rewriting';
import { RouteMemory } from './route-memory';

/**
 * The enabled routes of one tenant, to be asked on each request: exact beats prefix, the longest prefix wins, then regular
 * expressions, the highest priority first. Of two with the same path the one with a host beats the one without. One whose
 * methods do not fit is passed over; HEAD fits where GET does, unless another route of the same path names HEAD. Before regular
 * expressions it is one look-up for the path and at most one for each of its segments, with 10 routes and with 10,000.
 */
export class MatchTable implements RouteTable {
  private constructor(
    private readonly exact: ReadonlyMap<string, Claims>,
    /** By the prefix without a slash at its end; that of all paths is ''. */
    private readonly prefixes: ReadonlyMap<string, Claims>,
    /** 1 where there is a prefix of that length: other boundaries of a path need not be looked up. */
    private readonly lengths: Uint8Array,
    private readonly patterns: PatternRoutes | null,
  ) {}

  /**
   * A table of these routes, made in turns with all else that goes on.
   * @param routes in whatever order; what a former version of the service let in and this one cannot read is left out
   * @param memory where compiled expressions are kept
   */
  static async of(routes: readonly GatewayRoute[], { programs } = new RouteMemory()): Promise<MatchTable> {
    const exact = new Map<string, Claims>();
    const prefixes = new Map<string, Claims>();
    const enabled = routes.filter((route) => route.enabled).sort((a, b) => (a.id < b.id ? -1 : 1));
    await mapInTurns(enabled, (route) => {
      if (route.pathType === 'exact') claimsOf(exact, route.path).add(route);
      if (route.pathType === 'prefix') claimsOf(prefixes, prefixKey(route.path)).add(route);
    });
    const patterns = enabled.filter((route) => route.pathType === 'regex');
    const asked = patterns.length > 0 ? await PatternRoutes.of(patterns, programs) : null;
    return new MatchTable(exact, prefixes, lengthsOf(prefixes.keys()), asked);
  }

  match(method: string, host: string, path: string, asker?: Asker): Soon<Match | null> {
    const exact = this.exact.get(path)?.pick(method, host);
    if (exact) return { route: exact, path: exactTarget(exact) };
    return this.byPrefix(method, host, path) ?? this.patterns?.match(method, host, path, asker) ?? null;
  }

  private byPrefix(method: string, host: string, path: string): Match | null {
    if (!path.startsWith('/')) return null;
    const longest = this.lengths.length - 1;
    let end = path.length <= longest ? path.length : path.lastIndexOf('/', longest);
    while (end >= 0) {
      if (this.lengths[end] === 1) {
        const route = this.prefixes.get(path.slice(0, end))?.pick(method, host);
        if (route) return { route, path: prefixTarget(route, path, end) };
      }
      end = end === 0 ? -1 : path.lastIndexOf('/', end - 1);
    }
    return null;
  }
}

const prefixKey = (path: string): string => (path === '/' ? '' : trimmedPrefix(path));

function claimsOf(map: Map<string, Claims>, key: string): Claims {
  const claims = map.get(key) ?? new Claims();
  map.set(key, claims);
  return claims;
}

function lengthsOf(prefixes: Iterable<string>): Uint8Array {
  const all = [...prefixes].map(({ length }) => length);
  const lengths = new Uint8Array(all.reduce((most, length) => Math.max(most, length + 1), 0));
  for (const length of all) lengths[length] = 1;
  return lengths;
}
