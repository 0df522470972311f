import { newId } from '../../src/common/ids';
import type { GatewayRoute } from '../../src/modules/gateway/gateway-route';
import type { RouteResponse } from '../../src/modules/gateway/routes/dto/route.response';
import type { HttpClient } from './http-client';
import type { Wire } from './whatsapp';

export type WireRoute = Wire<RouteResponse>;

/** A public address that nobody is asked for. */
export const UPSTREAM = 'https://1.1.1.1';

/** A body that makes a route, of a path that no other has. */
export const draftRoute = (fields: Record<string, unknown> = {}) => ({
  path: `/r-${newId()}`,
  path_type: 'prefix',
  upstreams: [{ url: UPSTREAM }],
  ...fields,
});

/** Makes a route over the API. */
export async function makeRoute(http: HttpClient, fields: Record<string, unknown> = {}): Promise<WireRoute> {
  const answer = await http.post<WireRoute>('/gateway/routes', draftRoute(fields));
  if (answer.status !== 201) throw new Error(`Making a route gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

/** A route as the table is made of. */
export const tableRoute = (fields: Partial<GatewayRoute> = {}): GatewayRoute => ({
  ...{ id: newId(), tenantId: 'tenant', path: '/', pathType: 'prefix', methods: null, host: null, priority: 0 },
  ...{ upstreams: [{ url: UPSTREAM, weight: 1 }], strategy: 'round-robin', stripPrefix: false, rewrite: null },
  ...{ timeoutMs: 30_000, retries: 0, headers: { set: {}, remove: [] }, rateLimitPerMinute: null, enabled: true },
  ...fields,
});
