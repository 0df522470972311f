import type { GatewayRoute } from '../gateway-route';
import type { Origin } from './client-address';
import { HeaderKind, kindOf, removeNamed } from './header-kinds';
import type { RequestHead } from './request-head';

/** What a route does to headers, made once per route. */
interface HeaderPlan {
  /** Lower case. */
  readonly dropped: ReadonlySet<string>;
  readonly added: readonly string[];
}

/** Null: nothing. */
const plans = new WeakMap<GatewayRoute, HeaderPlan | null>();

/** A route changes nothing that frames the request, ends at a hop or says who the client is: it was refused when it was saved. */
const isFree = (name: string): boolean => kindOf(name) === HeaderKind.endToEnd;

function planOf(route: GatewayRoute): HeaderPlan | null {
  const made = plans.get(route);
  if (made !== undefined) return made;
  const set = Object.entries(route.headers.set).filter(([name]) => isFree(name));
  const dropped = new Set([...route.headers.remove.filter(isFree), ...set.map(([name]) => name)].map(lower));
  const plan = dropped.size > 0 ? { dropped, added: set.flat() } : null;
  plans.set(route, plan);
  return plan;
}

const lower = (name: string): string => name.toLowerCase();

/**
 * What an upstream is sent: the client's headers less those of one hop and those that only the gateway may say, then what the
 * route says, then the gateway's own. Names and values in turn; the first value is the `Host`, to be set for each upstream.
 */
export function headersForUpstream(head: RequestHead, route: GatewayRoute, origin: Origin): string[] {
  const list = head.passed;
  const plan = planOf(route);
  if (plan !== null) {
    removeNamed(list, plan.dropped);
    for (const part of plan.added) list.push(part);
  }
  if (head.contentLength !== null) list.push('content-length', head.contentLength);
  list.push('x-forwarded-for', origin.forwardedFor, 'x-forwarded-proto', origin.proto);
  if (origin.host !== '') list.push('x-forwarded-host', origin.host);
  list.push('x-request-id', head.requestId, 'x-tenant-id', route.tenantId);
  return list;
}
