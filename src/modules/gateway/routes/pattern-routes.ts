import type { Soon } from '../../../common/soon';
import { mapInTurns } from '../../../platform/loops/turns';
import type { GatewayRoute } from '../gateway-route';
import type { Asker, Match } from '../proxy/parts';
import { NO_PROGRAM, type PatternPrograms, type Program } from './pattern-programs';
import { GroupRewrite } from './rewriting';
import type { RoutePattern } from './route-pattern';

/** A route with a regular expression; what that is compiled to may have to be made anew. */
interface PatternRoute {
  route: GatewayRoute;
  /** What every path that it takes begins with. */
  literal: string;
  /** As it was last at hand. */
  program: Program;
  rewrite: GroupRewrite | null;
  methods: ReadonlySet<string> | null;
}

/** What is asked for. */
interface Asked {
  method: string;
  host: string;
  path: string;
  asker: Asker | undefined;
}

/**
 * Routes with regular expressions, asked in order: the highest priority first, then those with a host, then the oldest. Only
 * those are asked whose literal beginning is that of the path; where this reaches into the second segment they are found by
 * the first one. What expressions are compiled to is kept apart, and may not be at hand.
 */
export class PatternRoutes {
  private readonly general: readonly PatternRoute[];
  /** By first segment, the general ones among them. */
  private readonly bySegment = new Map<string, readonly PatternRoute[]>();

  private constructor(
    all: readonly PatternRoute[],
    private readonly programs: PatternPrograms,
  ) {
    this.general = all.filter(({ literal }) => segmentOf(literal) === null);
    for (const segment of new Set(all.map(({ literal }) => segmentOf(literal))))
      if (segment !== null) this.bySegment.set(segment, all.filter(isAskedFor(segment)));
  }

  /** Made in turns with all else that goes on: an expression takes up to a millisecond. */
  static async of(routes: readonly GatewayRoute[], programs: PatternPrograms): Promise<PatternRoutes> {
    const all = await mapInTurns([...routes].sort(inOrder), (route) => readied(route, programs));
    return new PatternRoutes(all.flat(), programs);
  }

  /** Without a promise where the expressions that have to be asked are at hand; else they are compiled in turns with all else that goes on. */
  match(method: string, host: string, path: string, asker?: Asker): Soon<Match | null> {
    const candidates = this.bySegment.get(segmentOf(path) ?? '') ?? this.general;
    for (let at = 0; at < candidates.length; at += 1) {
      const candidate = candidates[at] as PatternRoute;
      if (!fits(candidate, method, host, path)) continue;
      const pattern = this.atHand(candidate);
      if (!pattern) return this.matchLater(candidates.slice(at), { method, host, path, asker });
      const target = targetOf(candidate, pattern, path);
      if (target !== null) return { route: candidate.route, path: target };
    }
    return null;
  }

  private async matchLater(candidates: readonly PatternRoute[], asked: Asked): Promise<Match | null> {
    const { method, host, path, asker } = asked;
    for (const candidate of candidates) {
      if (asker?.isOver) return null;
      if (!fits(candidate, method, host, path)) continue;
      const pattern = this.atHand(candidate) ?? (await this.programs.soon(candidate.route.path));
      const target = targetOf(candidate, pattern, path);
      if (target !== null) return { route: candidate.route, path: target };
    }
    return null;
  }

  private atHand(candidate: PatternRoute): RoutePattern | null {
    candidate.program = candidate.program.pattern ? candidate.program : this.programs.known(candidate.route.path);
    return candidate.program.pattern;
  }
}

function inOrder(a: GatewayRoute, b: GatewayRoute): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if ((a.host === null) !== (b.host === null)) return a.host === null ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}

function readied(route: GatewayRoute, programs: PatternPrograms): PatternRoute[] {
  try {
    const { literal } = programs.of(route.path);
    const rewrite = route.rewrite === null ? null : new GroupRewrite(route.rewrite);
    return [{ route, literal, program: NO_PROGRAM, rewrite, methods: route.methods && new Set(route.methods) }];
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
  ({ literal }: PatternRoute): boolean =>
    (segmentOf(literal) ?? segment) === segment;

function fits({ route, literal, methods }: PatternRoute, method: string, host: string, path: string): boolean {
  if (!path.startsWith(literal)) return false;
  if (route.host !== null && route.host !== host) return false;
  return methods === null || methods.has(method) || (method === 'HEAD' && methods.has('GET'));
}

function targetOf({ rewrite }: PatternRoute, pattern: RoutePattern, path: string): string | null {
  if (rewrite === null) return pattern.matches(path) ? path : null;
  const groups = pattern.groupsOf(path);
  return groups && rewrite.apply(groups);
}
