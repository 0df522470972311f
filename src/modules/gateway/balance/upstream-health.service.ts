import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../common/actor';
import { COUNT_CAP, type Page, pageOf, type PageRequest, totalOf } from '../../../common/paging';
import { HealthBoard } from './health-board';
import { type MergedView, mergedByUrl } from './upstream-view';

/** Upstreams as the tenant's routes name them. */
export interface RouteUrl {
  route_id: string;
  url: string;
}

/** Where the routes are. */
export abstract class RouteUrls {
  /** Every upstream of every route of the tenant, enabled or not. */
  abstract urlsOf(tenantId: string): Promise<RouteUrl[]>;
}

/** An upstream with what is known of it; null where no process has sent anything there lately. */
export interface UpstreamStanding {
  id: string;
  url: string;
  routeIds: string[];
  view: MergedView | null;
  shared: boolean;
}

/** So much of an address fits into a cursor. */
const MAX_CURSOR_BYTES = 1_500;

/** How the upstreams of a tenant stand. */
@Injectable()
export class UpstreamHealthService {
  constructor(
    private readonly routes: RouteUrls,
    private readonly board: HealthBoard,
  ) {}

  /** The upstreams of the tenant's routes, by address. */
  async list({ tenantId }: Actor, page: PageRequest): Promise<Page<UpstreamStanding>> {
    const [named, { views, shared }] = await Promise.all([this.routes.urlsOf(tenantId), this.board.ask(tenantId)]);
    const byUrl = Map.groupBy(named, ({ url }) => url);
    const urls = [...byUrl.keys()].sort();
    const after = page.cursor === undefined ? null : Buffer.from(page.cursor, 'base64url').toString();
    const rest = after === null ? urls.slice(page.offset ?? 0) : urls.filter((url) => url > after);
    const seen = mergedByUrl(views);
    const rows = rest.slice(0, page.limit + 1).map((url) => ({
      ...{ id: url, url, shared, view: seen.get(url) ?? null },
      routeIds: (byUrl.get(url) ?? []).map(({ route_id: id }) => id),
    }));
    const total = page.count === true ? { total: totalOf(Math.min(urls.length, COUNT_CAP + 1)) } : {};
    return { ...pageOf(rows, page.limit, ({ url }) => cursorOf(url)), ...total };
  }
}

/** The place right behind the address. */
function cursorOf(url: string): string {
  const whole = url.length <= MAX_CURSOR_BYTES ? url : `${url.slice(0, MAX_CURSOR_BYTES)}\uffff`;
  return Buffer.from(whole).toString('base64url');
}
