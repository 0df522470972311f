import { roundsWhile } from '../../../../test/support/rounds';
import { ApiPaths } from '../../../platform/http/api-paths';
import type { GatewayEgress } from '../gateway-egress';
import type { GatewayRoutesRepository } from './gateway-routes.repository';
import { RouteChecks, workOf } from './route-checks';
import { ROUTE_DEFAULTS, type RouteFields } from './stored-route';

const draft = (fields: Partial<RouteFields>): RouteFields => ({
  ...{ ...ROUTE_DEFAULTS, path: '/shop', path_type: 'prefix', upstreams: [], headers: { set: {}, remove: [] } },
  ...fields,
});

describe('what is asked of a route', () => {
  const paths = ['/health', '/ready', '/metrics', '/files', ...Array.from({ length: 96 }, (_, n) => `/path${n}`)];
  const api = new ApiPaths();
  api.use({
    methodsOf: (path) => (paths.includes(path) ? ['GET'] : []),
    list: () => paths.map((path) => `GET ${path}`),
  });
  // Warnings need neither the database nor the net.
  const checks = new RouteChecks({} as GatewayRoutesRepository, {} as GatewayEgress, api);

  it('tells the author which paths are the API’s on its port, and which are nobody’s anywhere', async () => {
    const warned = (path: string, fields: Partial<RouteFields> = {}) => checks.warnings(draft({ path, ...fields }));
    expect(await warned('/shop')).toEqual([]);
    expect(await warned('/files')).toEqual([expect.stringMatching(/^On the API's own port \/files is/)]);
    expect(await warned('/api/health')).toEqual([expect.stringMatching(/^On the API's own port \/api\/health is/)]);
    expect(await warned('/health')).toEqual([
      expect.stringMatching(/^\/health is answered .* never reach this route$/),
    ]);
    expect(await warned('/health', { enabled: false })).toEqual([]);
    const both = await warned('/(?:ready|api/ready)', { path_type: 'regex' });
    expect(both.map((text) => text.slice(0, 10))).toEqual(['/ready is ', 'On the API']);
  });

  it('is found out with all else in between, of however many regular expressions', async () => {
    const patterns = Array.from({ length: 100 }, (_, n) => `/${n}/(a|b)*`);
    expect(await roundsWhile(() => workOf(patterns))).toBeGreaterThan(20);
    expect(await roundsWhile(() => checks.warnings(draft({ path: '/x.*', path_type: 'regex' })))).toBeGreaterThan(20);
  });
});
