import { mapInTurns } from '../../../platform/loops/turns';
import type { GatewayRoute } from '../gateway-route';
import type { Match } from '../proxy/parts';
import { GroupRewrite } from './rewriting';
import { RoutePattern } from './route-pattern';

/** A route with a regular expression, ready to be asked. */
interface PatternRoute {
  route: GatewayRoute;
  pattern: RoutePattern;
  rewrite: GroupRewrite | null;
  methods: ReadonlySet<string> | null;
}

/**
 * Routes with regular expressions, asked in order: the highest priority first, then those with a host, then the oldest. Only
 * those are asked whose literal beginning is that of the path; where this reaches into the second segment they are found by
 * the first one.
 */
export class PatternRoutes {
  private readonly general: readonly PatternRoute[];
  /** By first segment, the general ones among them. */
  private readonly bySegment = new Map<string, readonly PatternRoute[]>();

  private constructor(all: readonly PatternRoute[]) {
    this.general = all.filter(({ pattern }) => segmentOf(pattern.literal) === null);
    for (const segment of new Set(all.map(({ pattern }) => segmentOf(pattern.literal))))
      if (segment !== null) this.bySegment.set(segment, all.filter(isAskedFor(segment)));
  }

  /** Made in turns with all else that goes on: an expression takes up to a millisecond. */
  static async of(routes: readonly GatewayRoute[]): Promise<PatternRoutes> {
    return new PatternRoutes((await mapInTurns([...routes].sort(inOrder), readied)).flat());
  }

  match(method: string, host: string, path: string): Match | null {
    const asked = this.bySegment.get(segmentOf(path) ?? '') ?? this.general;
    for (const candidate of asked) {
      if (!fits(candidate, method, host)) continue;
      const target = targetOf(candidate, path);
      if (target !== null) return { route: candidate.route, path: target };
    }
    return null;
  }
}

function inOrder(a: GatewayRoute, b: GatewayRoute): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if ((a.host === null) !== (b.host === null)) return a.host === null ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}

function readied(route: GatewayRoute): PatternRoute[] {
  try {
    const pattern = new RoutePattern(route.path);
    const rewrite = route.rewrite === null ? null : new GroupRewrite(route.rewrite);
    return [{ route, pattern, rewrite, methods: route.methods && new Set(route.methods) }];
  } catch {
    return []; // stored by a version that knew it; no reason to give up the tenant's other routes
  }
}

/** The first segment, where a slash ends it; null where none does. */
function segmentOf(path: string): string | null {
  const end = path.startsWith('/') ? path.indexOf('/', 1) : -1;
  return end < 0 ? null : path.slice(1, end);
}

const isAskedFor =
  (segment: string) =>
  ({ pattern }: PatternRoute): boolean =>
    (segmentOf(pattern.literal) ?? segment) === segment;

function fits({ route, methods }: PatternRoute, method: string, host: string): boolean {
  if (route.host !== null && route.host !== host) return false;
  return methods === null || methods.has(method) || (method === 'HEAD' && methods.has('GET'));
}

function targetOf({ pattern, rewrite }: PatternRoute, path: string): string | null {
  if (rewrite === null) return pattern.matches(path) ? path : null;
  const groups = pattern.groupsOf(path);
  return groups && rewrite.apply(groups);
}
