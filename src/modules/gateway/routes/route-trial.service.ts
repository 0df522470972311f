import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../common/actor';
import { CommonErrors } from '../../../common/common.errors';
import { GatewayRoutesService, type RouteWithWarnings } from './gateway-routes.service';
import { pathFault } from './path-rules';
import { RouteDirectory } from './route-directory.service';

/** A request that is only thought of. */
export interface Trial {
  method: string;
  /** With its query, where it has one. */
  path: string;
  /** With or without a port; none is that of no route. */
  host?: string;
}

/** What would become of it. */
export interface TrialOutcome {
  /** Null where no route takes it. */
  route: RouteWithWarnings | null;
  /** What an upstream would be asked for after its own path, with the query. */
  target: string | null;
  /** The same of each upstream, whole. */
  urls: string[];
}

/** Tells what the gateway would do, without asking an upstream. */
@Injectable()
export class RouteTrial {
  constructor(
    private readonly directory: RouteDirectory,
    private readonly routes: GatewayRoutesService,
  ) {}

  /** By the table that requests go by. @throws VALIDATION_FAILED for a path that the gateway refuses whatever the routes */
  async outcomeOf(actor: Actor, { method, path, host = '' }: Trial): Promise<TrialOutcome> {
    const queryAt = path.includes('?') ? path.indexOf('?') : path.length;
    const [asked, query] = [path.slice(0, queryAt), path.slice(queryAt)];
    const fault = pathFault(asked);
    if (fault !== null) throw CommonErrors.invalidField('path', `path ${fault}`);
    const table = await this.directory.of(actor.tenantId);
    const match = table.match(method.toUpperCase(), host.toLowerCase().replace(/:\d*$/, ''), asked);
    if (!match) return { route: null, target: null, urls: [] };
    const target = match.path + query;
    const urls = match.route.upstreams.map(({ url }) => url + target);
    return { route: await this.routes.get(actor, match.route.id), target, urls };
  }
}
