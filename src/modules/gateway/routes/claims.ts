import type { GatewayRoute } from '../gateway-route';

/** Routes of one host, or of any: one for all methods, or one for each. */
type Choice = GatewayRoute | Map<string, GatewayRoute>;

/** The routes of one path, by host and method. Of two that claim the very same thing the first one added has it. */
export class Claims {
  private any: Choice | undefined;
  private hosts: Map<string, Choice> | undefined;

  add(route: GatewayRoute): void {
    if (route.host === null) this.any = withRoute(this.any, route);
    else {
      this.hosts ??= new Map();
      this.hosts.set(route.host, withRoute(this.hosts.get(route.host), route));
    }
  }

  /** The route of this host that takes the method, else the one of any host. */
  pick(method: string, host: string): GatewayRoute | undefined {
    return routeFor(this.hosts?.get(host), method) ?? routeFor(this.any, method);
  }
}

/** Stands in the map of methods for all that are not in it. */
const ALL = '*';

function withRoute(choice: Choice | undefined, route: GatewayRoute): Choice {
  if (choice === undefined && route.methods === null) return route;
  const map = choice instanceof Map ? choice : new Map<string, GatewayRoute>(choice ? [[ALL, choice]] : []);
  for (const method of route.methods ?? [ALL]) if (!map.has(method)) map.set(method, route);
  return map;
}

function routeFor(choice: Choice | undefined, method: string): GatewayRoute | undefined {
  if (!(choice instanceof Map)) return choice;
  return choice.get(method) ?? (method === 'HEAD' ? choice.get('GET') : undefined) ?? choice.get(ALL);
}
