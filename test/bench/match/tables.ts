import type { GatewayRoute } from '../../../src/modules/gateway/gateway-route';
import type { RouteTable } from '../../../src/modules/gateway/proxy/parts';
import { MatchTable } from '../../../src/modules/gateway/routes/route-table';
import { tableRoute } from '../../support/gateway-routes';

/** By which kind of route a request is taken; `none`: by no route, which is 404. */
export const KINDS = ['exact', 'prefix', 'regex', 'none'] as const;
export type Kind = (typeof KINDS)[number];

/** How many routes a table has: the last is as many as a tenant may have. */
export const SIZES = [10, 1_000, 10_000] as const;
/** As many regular expressions as a tenant may have. */
const MAX_PATTERNS = 100;

/** A table of so many routes, and the path of the nth request of a kind. */
export interface Bed {
  size: number;
  table: RouteTable;
  patterns: number;
  pathOf: (kind: Kind, nth: number) => string;
}

/** A fifth of the routes are regular expressions, 100 at most; of the others one half is exact. */
export async function bedOf(size: number): Promise<Bed> {
  const patterns = Math.min(size / 5, MAX_PATTERNS);
  const plain = (size - patterns) / 2;
  const routes: GatewayRoute[] = [];
  for (let n = 0; n < plain; n += 1)
    routes.push(
      tableRoute({ path: `/shop/items/${n}`, pathType: 'exact' }),
      tableRoute({ path: `/services/${n}/api`, pathType: 'prefix' }),
    );
  for (let n = 0; n < patterns; n += 1)
    routes.push(tableRoute({ path: `/tenant-${n}/users/(\\d+)/.*`, pathType: 'regex' }));
  const paths: Record<Kind, (nth: number) => string> = {
    exact: (nth) => `/shop/items/${nth % plain}`,
    prefix: (nth) => `/services/${nth % plain}/api/orders/${nth}`,
    regex: (nth) => `/tenant-${nth % patterns}/users/${nth}/orders`,
    none: (nth) => `/nowhere/${nth % plain}/orders/${nth}`,
  };
  return { size, patterns, table: await MatchTable.of(routes), pathOf: (kind, nth) => paths[kind](nth) };
}
