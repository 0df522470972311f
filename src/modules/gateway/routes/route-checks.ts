import { Injectable } from '@nestjs/common';
import { CommonErrors } from '../../../common/common.errors';
import type { TenantTransaction } from '../../../platform/database/tenant-database';
import { EgressFailure } from '../../../platform/egress/egress-failure';
import { addressRefused } from '../../../platform/egress/egress-target';
import { ApiPaths } from '../../../platform/http/api-paths';
import { inTurn, mapInTurns } from '../../../platform/loops/turns';
import { GatewayEgress, type NameVerdict } from '../gateway-egress';
import type { PathType, RouteUpstream } from '../gateway-route';
import { OWN_PATHS } from '../own-paths';
import { GatewayRouteErrors } from './gateway-routes.errors';
import { GatewayRoutesRepository } from './gateway-routes.repository';
import { MAX_WORK, RoutePattern } from './route-pattern';
import { checkedRoute } from './route-rules';
import type { RouteFields } from './stored-route';

const MIB = 1024 * 1024;
/** Routes that a tenant may have, whichever they are. */
const MAX_ROUTES = 10_000;
/** Regular expressions among them: each takes some 10 KB or 20, and may have to be asked for each request. */
const MAX_PATTERNS = 100;
/** Of their texts: several such tables are held in one process (`RouteMemory`). */
const MAX_MIB = 32;

/** What is asked of a route before it is stored, and what its author should know of it. */
@Injectable()
export class RouteChecks {
  constructor(
    private readonly routes: GatewayRoutesRepository,
    private readonly egress: GatewayEgress,
    private readonly api: ApiPaths,
  ) {}

  /** The route in its one spelling. @throws VALIDATION_FAILED */
  checked(route: RouteFields): RouteFields {
    return checkedRoute(route, (url) => this.egress.checkUpstream(url));
  }

  /**
   * What names of upstreams lead to now; warns of those that nobody knows, for they may be made later: each connection asks again.
   * @throws VALIDATION_FAILED for one that leads to where no upstream may be
   */
  async ofNames(upstreams: readonly RouteUpstream[]): Promise<string[]> {
    const verdicts = await Promise.all(upstreams.map(({ url }) => this.verdictOn(url)));
    const details = verdicts.flatMap((verdict, index) =>
      verdict === 'refused' ? [{ field: `upstreams.${index}.url`, message: addressRefused().message }] : [],
    );
    if (details.length > 0) throw CommonErrors.validation(details);
    return verdicts.flatMap((verdict, index) =>
      verdict === 'unknown' ? [`The name of upstreams.${index}.url has no address at the moment`] : [],
    );
  }

  private async verdictOn(url: string): Promise<NameVerdict> {
    try {
      return await this.egress.verdictOn(this.egress.checkUpstream(url));
    } catch (error) {
      if (error instanceof EgressFailure) return 'open'; // refused by `checked`, with the better reason
      throw error;
    }
  }

  /** Room for one route more. The routes must be held. @throws GATEWAY_ROUTE_LIMIT */
  async assertRoom(tx: TenantTransaction, tenantId: string, pathType: PathType): Promise<void> {
    const { routes, patterns } = await this.routes.counts(tx, tenantId);
    if (routes >= MAX_ROUTES) throw GatewayRouteErrors.limit('routes', MAX_ROUTES);
    if (pathType === 'regex') assertPatterns(patterns);
  }

  /** Room for one regular expression more. The routes must be held. @throws GATEWAY_ROUTE_LIMIT */
  async assertPatternRoom(tx: TenantTransaction, tenantId: string): Promise<void> {
    assertPatterns((await this.routes.counts(tx, tenantId)).patterns);
  }

  /** That what is stored by now, and has grown, is not too much. The routes must be held. @throws GATEWAY_ROUTE_LIMIT */
  async assertBytes(tx: TenantTransaction, tenantId: string): Promise<void> {
    if ((await this.routes.storedBytes(tx, tenantId)) > MAX_MIB * MIB)
      throw GatewayRouteErrors.limit('MiB of paths, methods, upstreams and headers of routes', MAX_MIB);
  }

  /**
   * That no other enabled route claims the same, and that regular expressions stay bearable together. The routes must be held.
   * @throws GATEWAY_ROUTE_CONFLICT, VALIDATION_FAILED
   */
  async assertPlace(tx: TenantTransaction, tenantId: string, id: string, route: RouteFields): Promise<void> {
    if (!route.enabled) return;
    const other = await this.routes.clash(tx, tenantId, id, route);
    if (other !== null) throw GatewayRouteErrors.conflict(other);
    if (route.path_type !== 'regex') return;
    const others = await this.routes.patternsBeside(tx, tenantId, id);
    if ((await workOf([route.path, ...others])) > MAX_WORK) throw GatewayRouteErrors.tooMuchWork();
  }

  /** What its author should know of a route that is stored; of one that is off there is nothing to know. */
  async warnings({ path, path_type, enabled }: RouteFields): Promise<string[]> {
    if (!enabled) return [];
    const paths = path_type === 'regex' ? await this.matchedBy(path) : this.api.has(path) ? [path] : [];
    return paths.map(warningOf);
  }

  private async matchedBy(pattern: string): Promise<string[]> {
    const compiled = await inTurn(() => new RoutePattern(pattern));
    const paths = await mapInTurns(this.api.fixed(), (path) => (compiled.matches(path) ? [path] : []));
    return paths.flat();
  }
}

const warningOf = (taken: string): string =>
  OWN_PATHS.test(taken)
    ? `${taken} is answered by the service itself, on the gateway's own port too: requests for it never reach this route`
    : `On the API's own port ${taken} is the API's: requests for it do not reach this route`;

function assertPatterns(patterns: number): void {
  if (patterns >= MAX_PATTERNS) throw GatewayRouteErrors.limit('regular expressions', MAX_PATTERNS);
}

/**
 * The work of those that may all have to look at one path: of whichever of them, its own and that of all whose literal
 * beginning is a beginning of its own.
 */
export async function workOf(patterns: readonly string[]): Promise<number> {
  const compiled = await mapInTurns(patterns, (pattern) => new RoutePattern(pattern));
  const together = compiled.map(({ literal }) =>
    compiled.reduce((sum, other) => (literal.startsWith(other.literal) ? sum + other.work : sum), 0),
  );
  return Math.max(0, ...together);
}
