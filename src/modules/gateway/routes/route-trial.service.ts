import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../common/actor';
import { CommonErrors } from '../../../common/common.errors';
import { hostName, isHost } from '../proxy/request-head';
import { checkTarget } from '../proxy/request-target';
import { GatewayRoutesService, type RouteWithWarnings } from './gateway-routes.service';
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

  /** By the table that requests go by. @throws VALIDATION_FAILED for what the gateway refuses whatever the routes */
  async outcomeOf(actor: Actor, { method, path, host = '' }: Trial): Promise<TrialOutcome> {
    const pathLength = checkTarget(path);
    if (typeof pathLength !== 'number') throw CommonErrors.invalidField('path', pathLength.message);
    if (host !== '' && !isHost(host))
      throw CommonErrors.invalidField('host', 'host must be the value of a Host header');
    const [asked, query] = [path.slice(0, pathLength), path.slice(pathLength)];
    const table = await this.directory.of(actor.tenantId);
    const match = await table.match(method.toUpperCase(), hostName(host), asked);
    if (!match) return { route: null, target: null, urls: [] };
    const target = match.path + query;
    const urls = match.route.upstreams.map(({ url }) => url + target);
    return { route: await this.routes.get(actor, match.route.id), target, urls };
  }
}
