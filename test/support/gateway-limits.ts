import { type Actor, userActor } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import type { GatewayRoute } from '../../src/modules/gateway/gateway-route';

/** An API key with that limit of its own. */
export const keyWith = (requestsPerMinute: number | null, id = newId()): Actor => ({
  ...userActor({ id, tenantId: 'tenant', role: 'TENANT_ADMIN', loginId: newId() }),
  kind: 'key',
  requestsPerMinute,
});

/** A route with that limit, which goes nowhere. */
export function routeWith(rateLimitPerMinute: number | null, id = newId()): GatewayRoute {
  return {
    ...{ id, tenantId: 'tenant', path: '/', pathType: 'prefix', methods: null, host: null, priority: 0 },
    ...{ upstreams: [], strategy: 'first', stripPrefix: false, rewrite: null, timeoutMs: 1_000, retries: 0 },
    ...{ headers: { set: {}, remove: [] }, rateLimitPerMinute, enabled: true },
  };
}
